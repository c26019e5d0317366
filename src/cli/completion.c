// SPDX-License-Identifier: Apache-2.0
// `sluice completion bash|zsh|fish`: a script for the shell, made from the command table, so that it knows what this program knows. All
// three offer the next words of a command, its flags, and files where neither fits.
#include "cli/cli.h"

// ---- what the table says ------------------------------------------------------------------------

static size_t first_len(const struct cli_command *command)
{
    return strcspn(command->name, " ");
}

// Is this the first row with its first word?
static bool opens_group(const struct cli_command *command)
{
    for (const struct cli_command *other = cli_commands; other < command; other++) {
        if (first_len(other) == first_len(command) && strncmp(other->name, command->name, first_len(command)) == 0) {
            return false;
        }
    }
    return true;
}

// The words that an argument like "errors|limits|config" offers; none for DIR or FILE.dg.
static struct view fixed_words(const struct cli_command *command)
{
    struct view words = view_of(command->arguments);
    return view_find_char(words, '|') > 0 && words.data[0] >= 'a' && words.data[0] <= 'z' ? words : VIEW("");
}

static void print_replaced(struct view text, char from, const char *to)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == from) {
            fputs(to, stdout);
        } else {
            putchar(text.data[i]);
        }
    }
}

static void print_flags(const struct cli_command *command)
{
    for (const struct cli_flag *flag = command->flags; flag->name; flag++) {
        printf("%s ", flag->name);
    }
    fputs("--help", stdout);
}

// The rows as `case` branches "ext show) WORDS ;;" for bash: flags, then the words that may follow.
static void print_groups(void)
{
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        if (command->name[first_len(command)] && opens_group(command)) {
            printf("        '%.*s') words='", (int)first_len(command), command->name);
            const char *gap = "";
            for (const struct cli_command *other = command; other->name; other++) {
                if (first_len(other) == first_len(command) && strncmp(other->name, command->name, first_len(command)) == 0) {
                    printf("%s%s", gap, other->name + first_len(other) + 1);
                    gap = " ";
                }
            }
            puts("' ;;");
        }
    }
}

static void print_firsts(void)
{
    const char *gap = "";
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        if (opens_group(command)) {
            printf("%s%.*s", gap, (int)first_len(command), command->name);
            gap = " ";
        }
    }
}

// ---- bash ---------------------------------------------------------------------------------------

// The flags that take a value, so that what follows them is not taken for a command's word.
static void print_value_flags(void)
{
    const char *gap = "";
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        for (const struct cli_flag *flag = command->flags; flag->name; flag++) {
            bool seen = false;
            for (const struct cli_command *other = cli_commands; other < command && !seen; other++) {
                for (const struct cli_flag *old = other->flags; old->name && !seen; old++) {
                    seen = strcmp(old->name, flag->name) == 0;
                }
            }
            if (flag->value && !seen) {
                printf("%s%s", gap, flag->name);
                gap = "|";
            }
        }
    }
}

static void print_bash(void)
{
    fputs("# bash completion for sluice: source <(sluice completion bash)\n"
          "_sluice()\n{\n"
          "    local word=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" command='' words='' flags='' i=1\n"
          "    COMPREPLY=()\n"
          "    case \"$previous\" in\n        ",
          stdout);
    print_value_flags();
    fputs(") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n    esac\n"
          "    while (( i < COMP_CWORD )); do\n"
          "        [[ \"${COMP_WORDS[i]}\" == -* ]] || command+=\"${command:+ }${COMP_WORDS[i]}\"\n"
          "        (( ++i ))\n"
          "    done\n"
          "    case \"$command\" in\n"
          "        '') words='",
          stdout);
    print_firsts();
    puts("' ;;");
    print_groups();
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        printf("        '%s'|'%s '*) flags='", command->name, command->name);
        print_flags(command);
        fputs("' words='", stdout);
        print_replaced(fixed_words(command), '|', " ");
        puts("' ;;");
    }
    fputs("    esac\n"
          "    if [[ \"$word\" == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$flags\" -- \"$word\"))\n"
          "    elif [[ -n \"$words\" ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "    else\n"
          "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _sluice sluice\n",
          stdout);
}

// ---- zsh ----------------------------------------------------------------------------------------

// Inside single quotes; a colon parts a word from its text.
static void print_zsh_text(const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '\'') {
            fputs("'\\''", stdout);
        } else if (*c == ':' || *c == '\\') {
            printf("\\%c", *c);
        } else {
            putchar(*c);
        }
    }
}

static void print_zsh_rows(const struct cli_command *group)
{
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        bool same = group && first_len(command) == first_len(group) && strncmp(command->name, group->name, first_len(group)) == 0;
        if (group ? same : opens_group(command)) {
            const char *word = group ? command->name + first_len(command) + 1 : command->name;
            bool more = !group && command->name[first_len(command)];
            printf(" '%.*s:", group ? (int)strlen(word) : (int)first_len(command), word);
            print_zsh_text(more ? "…" : command->summary);
            putchar('\'');
        }
    }
}

static void print_zsh(void)
{
    fputs("#compdef sluice\n# zsh completion for sluice: source <(sluice completion zsh)\n"
          "_sluice()\n{\n"
          "    local -a rows flags\n"
          "    local command=\"${(j: :)${(@)words[2,CURRENT-1]:#-*}}\" current=\"${words[CURRENT]}\"\n"
          "    case \"$command\" in\n        '') rows=(",
          stdout);
    print_zsh_rows(NULL);
    puts(") ;;");
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        if (command->name[first_len(command)] && opens_group(command)) {
            printf("        '%.*s') rows=(", (int)first_len(command), command->name);
            print_zsh_rows(command);
            puts(") ;;");
        }
    }
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        printf("        '%s'|'%s '*) flags=(", command->name, command->name);
        for (const struct cli_flag *flag = command->flags; flag->name; flag++) {
            printf(" '%s:", flag->name);
            print_zsh_text(flag->text);
            putchar('\'');
        }
        fputs(" '--help:what the command does') rows=(", stdout);
        if (fixed_words(command).len) {
            print_replaced(fixed_words(command), '|', " ");
        }
        puts(") ;;");
    }
    fputs("    esac\n"
          "    if [[ \"$current\" == -* ]]; then\n"
          "        _describe flag flags\n"
          "    elif (( $#rows )); then\n"
          "        _describe command rows\n"
          "    else\n"
          "        _files\n"
          "    fi\n"
          "}\n"
          "(( $+functions[compdef] )) && compdef _sluice sluice\n",
          stdout);
}

// ---- fish ---------------------------------------------------------------------------------------

static void print_fish_text(const char *text)
{
    for (const char *c = text; *c; c++) {
        printf(*c == '\'' || *c == '\\' ? "\\%c" : "%c", *c);
    }
}

static void print_fish_command(const struct cli_command *command)
{
    bool two = command->name[first_len(command)] != 0;
    if (opens_group(command)) {
        printf("complete -c sluice -n '__fish_use_subcommand' -f -a '%.*s' -d '", (int)first_len(command), command->name);
        print_fish_text(two ? "…" : command->summary);
        puts("'");
    }
    if (two) {
        printf("complete -c sluice -n '__sluice_at %.*s' -f -a '%s' -d '", (int)first_len(command), command->name,
               command->name + first_len(command) + 1);
        print_fish_text(command->summary);
        puts("'");
    }
    for (const struct cli_flag *flag = command->flags; flag->name; flag++) {
        bool brief = flag->name[1] != '-';
        printf("complete -c sluice -n '__sluice_in %s' %s '%s'%s -d '", command->name, brief ? "-s" : "-l", flag->name + (brief ? 1 : 2),
               flag->value ? " -r" : "");
        print_fish_text(flag->text);
        puts("'");
    }
    if (fixed_words(command).len) {
        printf("complete -c sluice -n '__sluice_at %s' -f -a '", command->name);
        print_replaced(fixed_words(command), '|', " ");
        puts("'");
    }
}

static void print_fish(void)
{
    fputs("# fish completion for sluice: sluice completion fish | source\n"
          "function __sluice_words\n"
          "    string match -v -- '-*' (commandline -opc)[2..-1]\n"
          "end\n"
          "function __sluice_at\n"
          "    set -l words (__sluice_words)\n"
          "    test \"$words\" = \"$argv\"\n"
          "end\n"
          "function __sluice_in\n"
          "    set -l words (__sluice_words)\n"
          "    test (count $words) -ge (count $argv); and test \"$words[1..(count $argv)]\" = \"$argv\"\n"
          "end\n",
          stdout);
    for (const struct cli_command *command = cli_commands; command->name; command++) {
        print_fish_command(command);
    }
}

int verb_completion(const struct cli_args *args)
{
    const char *shell = args->words[0];
    if (strcmp(shell, "bash") == 0) {
        print_bash();
    } else if (strcmp(shell, "zsh") == 0) {
        print_zsh();
    } else if (strcmp(shell, "fish") == 0) {
        print_fish();
    } else {
        return cli_usage_error(args, "there is completion for bash, zsh and fish, not for \"%s\"", shell);
    }
    return CLI_OK;
}
