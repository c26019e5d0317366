// SPDX-License-Identifier: Apache-2.0
//
// zoho.encryption.*: digests, HMAC, AES, base64 and base32. Data is a text's UTF-8 bytes or a file's bytes. Digests answer hex and HMACs
// base64 unless told otherwise; "binary" gives a file value, the one type that holds bytes exactly (spec/deluge-builtins.md §9 does not say
// what Zoho gives).
//
// Zoho's AES, found by decrypting its documented examples: key bytes padded with NUL to 32 (16 for the 128 functions), CBC, PKCS#7; without
// an IV in the call a random one stands in front of the ciphertext, with one the output is ciphertext alone; all of it base64.
#include "lib/inside.h"

// Scripts hash request bodies, which are files when they are not UTF-8: their bytes go in unchanged.
static bool data_argument(struct native_call *call, int index, struct view *ret_bytes)
{
    struct value v = lib_arg(call, index);
    if (v.type == VALUE_FILE) {
        *ret_bytes = v.file->bytes;
    } else if (!arg_text(call, index, ret_bytes)) {
        return false;
    }
    lib_cost_bytes(call, ret_bytes->len * 4);
    return true;
}

static bool return_base64(struct native_call *call, struct view bytes)
{
    struct value text;
    char *out;
    if (!lib_space(call, base64_size(bytes.len), &text, &out)) {
        return false;
    }
    return lib_return(call, value_text_done(text, base64_print(out, bytes)));
}

static bool return_file(struct native_call *call, struct view bytes, struct view name)
{
    struct value file = value_file(call->heap, bytes, name, VIEW("application/octet-stream"));
    return file.type == VALUE_FILE ? lib_return(call, file) : lib_memory_fail(call);
}

// Bytes in the form that an argument names, or in the default one.
static bool return_bytes(struct native_call *call, struct view bytes, int form_index, struct view form)
{
    char hex[LIB_DIGEST_BYTES_MAX * 2];
    if (call->count > form_index && !arg_text(call, form_index, &form)) {
        return false;
    }
    if (view_eq_nocase(form, VIEW("hex"))) {
        hex_print(hex, bytes.data, bytes.len);
        return lib_return_text(call, (struct view){hex, bytes.len * 2});
    }
    if (view_eq_nocase(form, VIEW("base64"))) {
        return return_base64(call, bytes);
    }
    if (view_eq_nocase(form, VIEW("binary"))) {
        return return_file(call, bytes, VIEW("digest"));
    }
    return native_fail(call, "'%.*s' is no output form: hex, base64 or binary", VIEW_ARGS(view_slice(form, 0, 40)));
}

static bool run_digest(struct native_call *call, enum lib_digest digest)
{
    struct view data;
    unsigned char bytes[LIB_DIGEST_BYTES_MAX];
    size_t count;
    if (!data_argument(call, 0, &data)) {
        return false;
    }
    if (!lib_crypto_digest(digest, data, bytes, &count)) {
        return native_fail(call, "%s is not available", call->native->name);
    }
    return return_bytes(call, (struct view){(char *)bytes, count}, 1, VIEW("hex"));
}

static bool run_hmac(struct native_call *call, enum lib_digest digest)
{
    struct view key, data;
    unsigned char bytes[LIB_DIGEST_BYTES_MAX];
    size_t count;
    if (!data_argument(call, 0, &key) || !data_argument(call, 1, &data)) {
        return false;
    }
    if (!lib_crypto_hmac(digest, key, data, bytes, &count)) {
        return native_fail(call, "%s is not available", call->native->name);
    }
    return return_bytes(call, (struct view){(char *)bytes, count}, 2, VIEW("base64"));
}

#define DIGEST(name, digest)                                                                                                               \
    static bool encryption_##name(struct native_call *call)                                                                                \
    {                                                                                                                                      \
        return run_digest(call, digest);                                                                                                   \
    }
#define HMAC(name, digest)                                                                                                                 \
    static bool encryption_##name(struct native_call *call)                                                                                \
    {                                                                                                                                      \
        return run_hmac(call, digest);                                                                                                     \
    }

DIGEST(md5, LIB_MD5)
DIGEST(sha1, LIB_SHA1)
DIGEST(sha256, LIB_SHA256)
DIGEST(sha384, LIB_SHA384)
DIGEST(sha512, LIB_SHA512)
HMAC(hmacsha1, LIB_SHA1)
HMAC(hmacsha256, LIB_SHA256)
HMAC(hmacsha384, LIB_SHA384)
HMAC(hmacsha512, LIB_SHA512)

// ---- character sets -----------------------------------------------------------------------------

enum charset { CHARSET_UTF_8, CHARSET_UTF_16LE, CHARSET_UTF_16BE };

static bool read_charset(struct native_call *call, int index, enum charset *ret_charset)
{
    static const char *const names[] = {[CHARSET_UTF_8] = "UTF-8", [CHARSET_UTF_16LE] = "UTF-16LE", [CHARSET_UTF_16BE] = "UTF-16BE"};
    struct view name = VIEW("UTF-8");
    if (call->count > index && !arg_text(call, index, &name)) {
        return false;
    }
    for (size_t i = 0; i < BASE_COUNT(names); i++) {
        if (view_eq_nocase(name, view_of(names[i]))) {
            *ret_charset = (enum charset)i;
            return true;
        }
    }
    return native_fail(call, "'%.*s' is no character set: UTF-8, UTF-16LE or UTF-16BE", VIEW_ARGS(view_slice(name, 0, 40)));
}

static void add_unit(struct buffer *out, uint32_t unit, enum charset charset)
{
    buffer_add_char(out, (char)(charset == CHARSET_UTF_16LE ? unit & 0xFF : unit >> 8));
    buffer_add_char(out, (char)(charset == CHARSET_UTF_16LE ? unit >> 8 : unit & 0xFF));
}

static void add_utf16(struct buffer *out, struct view text, enum charset charset)
{
    for (size_t i = 0; i < text.len;) {
        uint32_t c = utf8_next(text, &i);
        if (c < 0x10000) {
            add_unit(out, c, charset);
        } else {
            add_unit(out, 0xD800 + ((c - 0x10000) >> 10), charset);
            add_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF), charset);
        }
    }
}

static void add_from_utf16(struct buffer *out, struct view bytes, enum charset charset)
{
    uint32_t high = 0;
    for (size_t i = 0; i + 1 < bytes.len; i += 2) {
        unsigned char a = (unsigned char)bytes.data[i], b = (unsigned char)bytes.data[i + 1];
        uint32_t c = charset == CHARSET_UTF_16LE ? a | (uint32_t)b << 8 : b | (uint32_t)a << 8;
        if (c >= 0xD800 && c < 0xDC00) {
            high = c;
            continue;
        }
        if (c >= 0xDC00 && c < 0xE000) {
            c = high != 0 ? 0x10000 + ((high - 0xD800) << 10) + (c - 0xDC00) : 0xFFFD;
        }
        high = 0;
        char utf8[4];
        buffer_add(out, (struct view){utf8, utf8_encode(utf8, c)});
    }
}

// ---- base64, base32 -----------------------------------------------------------------------------

static bool encryption_base64_encode(struct native_call *call)
{
    struct view data;
    enum charset charset;
    if (!data_argument(call, 0, &data) || !read_charset(call, 1, &charset)) {
        return false;
    }
    if (charset == CHARSET_UTF_8 || call->args[0].type == VALUE_FILE) {
        return return_base64(call, data);
    }
    struct buffer bytes;
    lib_buffer(call, &bytes);
    add_utf16(&bytes, data, charset);
    bool ok = bytes.failed ? lib_memory_fail(call) : return_base64(call, buffer_view(&bytes));
    buffer_free(&bytes);
    return ok;
}

// On failure `out` is freed already.
static bool decode_base64(struct native_call *call, int index, struct buffer *out)
{
    struct view text;
    if (!arg_text(call, index, &text)) {
        return false;
    }
    lib_cost_bytes(call, text.len);
    lib_buffer(call, out);
    if (base64_read(text, out) && !out->failed) {
        return true;
    }
    bool memory = out->failed;
    buffer_free(out);
    return memory ? lib_memory_fail(call) : native_fail(call, "the text is not base64");
}

static bool encryption_base64_decode(struct native_call *call)
{
    struct buffer bytes, text;
    enum charset charset;
    if (!read_charset(call, 1, &charset) || !decode_base64(call, 0, &bytes)) {
        return false;
    }
    if (charset == CHARSET_UTF_8) {
        return lib_buffer_return(call, &bytes);
    }
    lib_buffer(call, &text);
    add_from_utf16(&text, buffer_view(&bytes), charset);
    buffer_free(&bytes);
    return lib_buffer_return(call, &text);
}

static bool encryption_base64_to_file(struct native_call *call)
{
    struct buffer bytes;
    struct view name = VIEW("file");
    if ((call->count > 1 && !arg_text(call, 1, &name)) || !decode_base64(call, 0, &bytes)) {
        return false;
    }
    bool ok = return_file(call, buffer_view(&bytes), name);
    buffer_free(&bytes);
    return ok;
}

static const char base32_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static bool encryption_base32_encode(struct native_call *call)
{
    struct view data;
    struct value text;
    char *out;
    if (!data_argument(call, 0, &data) || !lib_space(call, ((uint64_t)data.len + 4) / 5 * 8, &text, &out)) {
        return false;
    }
    size_t len = 0;
    for (size_t i = 0; i < data.len; i += 5) {
        uint64_t block = 0;
        size_t count = data.len - i < 5 ? data.len - i : 5;
        for (size_t j = 0; j < 5; j++) {
            block = block << 8 | (j < count ? (unsigned char)data.data[i + j] : 0);
        }
        size_t digits = (count * 8 + 4) / 5;
        for (size_t j = 0; j < 8; j++) {
            out[len++] = j < digits ? base32_digits[block >> (35 - 5 * j) & 31] : '=';
        }
    }
    return lib_return(call, value_text_done(text, len));
}

static bool encryption_base32_decode(struct native_call *call)
{
    struct view text;
    struct buffer out;
    if (!arg_text(call, 0, &text)) {
        return false;
    }
    lib_cost_bytes(call, text.len);
    lib_buffer(call, &out);
    uint32_t bits = 0, held = 0;
    for (size_t i = 0; i < text.len && text.data[i] != '='; i++) {
        char c = text.data[i] >= 'a' && text.data[i] <= 'z' ? (char)(text.data[i] - 32) : text.data[i];
        const char *digit = c == '\0' ? NULL : strchr(base32_digits, c);
        if (digit == NULL) {
            buffer_free(&out);
            return native_fail(call, "the text is not base32");
        }
        bits = bits << 5 | (uint32_t)(digit - base32_digits);
        held += 5;
        if (held >= 8) {
            held -= 8;
            buffer_add_char(&out, (char)(bits >> held));
            bits &= (1u << held) - 1;
        }
    }
    return lib_buffer_return(call, &out);
}

// ---- AES ----------------------------------------------------------------------------------------

// Key bytes padded with NUL, or cut (GUESS), to the size of the cipher.
static bool key_argument(struct native_call *call, size_t key_bytes, unsigned char ret_key[32])
{
    struct view key;
    if (!arg_text(call, 0, &key)) {
        return false;
    }
    memset(ret_key, 0, 32);
    memcpy(ret_key, key.data, key.len < key_bytes ? key.len : key_bytes);
    return true;
}

// The IV of the call: *ret_given tells whether there is one. It must be 16 bytes.
static bool iv_argument(struct native_call *call, unsigned char ret_iv[LIB_AES_BLOCK], bool *ret_given)
{
    struct view iv;
    *ret_given = call->count > 2 && lib_arg(call, 2).type != VALUE_NULL;
    if (!*ret_given) {
        return true;
    }
    if (!arg_text(call, 2, &iv)) {
        return false;
    }
    if (iv.len != LIB_AES_BLOCK) {
        return native_fail(call, "the initialisation vector must have 16 characters");
    }
    memcpy(ret_iv, iv.data, LIB_AES_BLOCK);
    return true;
}

// The IV, when it is ours, travels in front of the ciphertext.
static bool aes_encode(struct native_call *call, size_t key_bytes)
{
    unsigned char key[32], iv[LIB_AES_BLOCK];
    struct view plain;
    bool given;
    if (!key_argument(call, key_bytes, key) || !data_argument(call, 1, &plain) || !iv_argument(call, iv, &given)) {
        return false;
    }
    struct buffer cipher, all;
    lib_buffer(call, &cipher);
    lib_buffer(call, &all);
    if (!given) {
        random_bytes(iv, sizeof(iv));
        buffer_add(&all, (struct view){(char *)iv, sizeof(iv)});
    }
    bool ok = lib_crypto_aes(true, key, key_bytes, iv, plain, &cipher);
    buffer_add(&all, buffer_view(&cipher));
    if (cipher.failed || all.failed) {
        ok = lib_memory_fail(call);
    } else {
        ok = ok ? return_base64(call, buffer_view(&all)) : native_fail(call, "%s is not available", call->native->name);
    }
    buffer_free(&cipher);
    buffer_free(&all);
    return ok;
}

static bool aes_decode(struct native_call *call, size_t key_bytes)
{
    unsigned char key[32], iv[LIB_AES_BLOCK];
    struct buffer bytes, plain;
    bool given;
    if (!key_argument(call, key_bytes, key) || !iv_argument(call, iv, &given) || !decode_base64(call, 1, &bytes)) {
        return false;
    }
    struct view cipher = buffer_view(&bytes);
    lib_buffer(call, &plain);
    bool ok = given || cipher.len >= LIB_AES_BLOCK;
    if (ok && !given) {
        memcpy(iv, cipher.data, LIB_AES_BLOCK);
        cipher = view_from(cipher, LIB_AES_BLOCK);
    }
    ok = ok && lib_crypto_aes(false, key, key_bytes, iv, cipher, &plain);
    buffer_free(&bytes);
    if (ok || plain.failed) {
        return lib_buffer_return(call, &plain);
    }
    buffer_free(&plain);
    return native_fail(call, "the text cannot be decrypted with this key");
}

static bool encryption_aes_encode(struct native_call *call)
{
    return aes_encode(call, 32);
}

static bool encryption_aes_decode(struct native_call *call)
{
    return aes_decode(call, 32);
}

static bool encryption_aes_encode_128(struct native_call *call)
{
    return aes_encode(call, 16);
}

static bool encryption_aes_decode_128(struct native_call *call)
{
    return aes_decode(call, 16);
}

// ---- the table ----------------------------------------------------------------------------------

#define SURE_9 "SURE builtins §9"
#define NAME(name) "zoho.encryption." name
#define DIGEST_ROW(name, fn, example)                                                                                                      \
    {                                                                                                                                      \
        NAME(name), 0, 1, 2, 0, 10, fn, NAME(name) "(TEXT or FILE data, TEXT form?) → TEXT",                                               \
            "The digest: hex, or \"base64\" or \"binary\".", example, SURE_9                                                               \
    }
#define HMAC_ROW(name, fn, example, provenance)                                                                                            \
    {                                                                                                                                      \
        NAME(name), 0, 2, 3, 0, 10, fn, NAME(name) "(TEXT key, TEXT data, TEXT form?) → TEXT",                                             \
            "The keyed digest: base64, or \"hex\" or \"binary\". The key comes first.", example, provenance                                \
    }

static const struct native rows[] = {
    {NAME("base64Encode"), 0, 1, 2, 0, 6, encryption_base64_encode, NAME("base64Encode") "(TEXT or FILE data, TEXT charset?) → TEXT",
     "The bytes in base64; of a text in UTF-8, or UTF-16LE or UTF-16BE.",
     "info zoho.encryption.base64Encode(\"user:pass\"); => dXNlcjpwYXNz", SURE_9},
    {NAME("base64Decode"), 0, 1, 2, 0, 6, encryption_base64_decode, NAME("base64Decode") "(TEXT base64, TEXT charset?) → TEXT",
     "The text that base64 holds.", "info zoho.encryption.base64Decode(\"dXNlcjpwYXNz\"); => user:pass", SURE_9},
    {NAME("base64DecodeToFile"), 0, 1, 2, 0, 6, encryption_base64_to_file, NAME("base64DecodeToFile") "(TEXT base64, TEXT name) → FILE",
     "A file of the bytes that base64 holds.", "info zoho.encryption.base64DecodeToFile(\"YWJj\",\"a.txt\").getFileContent(); => abc",
     SURE_9},
    {NAME("base32Encode"), 0, 1, 1, 0, 6, encryption_base32_encode, NAME("base32Encode") "(TEXT or FILE data) → TEXT",
     "The bytes in base32.", "info zoho.encryption.base32Encode(\"foobar\"); => MZXW6YTBOI======", "LIKELY builtins §9"},
    {NAME("base32Decode"), 0, 1, 1, 0, 6, encryption_base32_decode, NAME("base32Decode") "(TEXT base32) → TEXT",
     "The text that base32 holds.", "info zoho.encryption.base32Decode(\"MZXW6YTBOI======\"); => foobar", "LIKELY builtins §9"},
    DIGEST_ROW("md5", encryption_md5, "info zoho.encryption.md5(\"hello\"); => 5d41402abc4b2a76b9719d911017c592"),
    DIGEST_ROW("sha1", encryption_sha1, "info zoho.encryption.sha1(\"hello\"); => aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
    DIGEST_ROW("sha256", encryption_sha256,
               "info zoho.encryption.sha256(\"hello\"); => 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
    DIGEST_ROW("sha384", encryption_sha384, "info zoho.encryption.sha384(\"hello\").length(); => 96"),
    DIGEST_ROW("sha512", encryption_sha512, "info zoho.encryption.sha512(\"hello\").left(16); => 9b71d224bd62f378"),
    HMAC_ROW("hmacsha1", encryption_hmacsha1,
             "info zoho.encryption.hmacsha1(\"Use me to generate hash\",\"My#New#Password\"); => VK9VMxdsbxZBLHKgSEZYMEUlURs=", SURE_9),
    HMAC_ROW(
        "hmacsha256", encryption_hmacsha256,
        "info zoho.encryption.hmacsha256(\"Use me to generate hash\",\"My#New#Password\"); => edYCyxkU4jL2dEjEDO8aUy8WZrpKRvQquNpgKUqe5vA=",
        SURE_9),
    HMAC_ROW("hmacsha384", encryption_hmacsha384, "info zoho.encryption.hmacsha384(\"k\",\"d\",\"hex\").length(); => 96",
             "GUESS builtins §9"),
    HMAC_ROW("hmacsha512", encryption_hmacsha512, "info zoho.encryption.hmacsha512(\"k\",\"d\",\"hex\").length(); => 128", SURE_9),
    {NAME("aesEncode"), 0, 2, 3, 0, 10, encryption_aes_encode, NAME("aesEncode") "(TEXT key, TEXT text, TEXT iv?) → TEXT",
     "AES-256-CBC in base64; without an IV of 16 characters a random one stands in front.",
     "info zoho.encryption.aesDecode(\"k\",zoho.encryption.aesEncode(\"k\",\"secret\")); => secret", SURE_9},
    {NAME("aesDecode"), 0, 2, 3, 0, 10, encryption_aes_decode, NAME("aesDecode") "(TEXT key, TEXT base64, TEXT iv?) → TEXT",
     "The text that aesEncode made unreadable.",
     "info zoho.encryption.aesDecode(\"passkey\",\"AR+ygx+et18UNeIltGh82NBgPQx6Y0hWbEcgN3NVbJA=\",\"0000000000000000\"); => This is a "
     "secret",
     SURE_9},
    {NAME("aesEncode128"), 0, 2, 4, 0, 10, encryption_aes_encode_128,
     NAME("aesEncode128") "(TEXT key, TEXT text, TEXT iv?, NUMBER iterations?) → TEXT",
     "AES-128-CBC in base64; the iterations have no effect.",
     "info zoho.encryption.aesEncode128(\"passkey\",\"This is a secret\",\"a00000000000000b\").length(); => 44", SURE_9},
    {NAME("aesDecode128"), 0, 2, 4, 0, 10, encryption_aes_decode_128,
     NAME("aesDecode128") "(TEXT key, TEXT base64, TEXT iv?, NUMBER iterations?) → TEXT", "The text that aesEncode128 made unreadable.",
     "info zoho.encryption.aesDecode128(\"passkey\",\"pWBt7NM4llIu0n9gES91lR5fXNaAG/mx5UNPtJY0Bv8=\",\"a00000000000000b\",201); => This is "
     "a secret",
     SURE_9},
};

const struct lib_table lib_encryption_table = LIB_TABLE(rows);
