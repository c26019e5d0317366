#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""sendmail against a mail server of ours that keeps what it gets: what arrives, who it goes to, what is refused, how many a day."""
import email
import email.policy
import os
import socket
import socketserver
import threading

import _rig as rig


class Mail:
    def __init__(self, sender, recipients, raw):
        self.sender, self.recipients, self.raw = sender, recipients, raw
        self.message = email.message_from_bytes(raw, policy=email.policy.default)

    def body(self):
        return self.message.get_body(('html', 'plain'))


class Talk(socketserver.StreamRequestHandler):
    """Just enough of SMTP. Recipients at refused.example are refused; a server that is `mute` says nothing."""

    timeout = rig.WAIT_S

    def say(self, line):
        self.wfile.write(line.encode() + b'\r\n')

    def handle(self):
        if self.server.mute:
            self.rfile.read(1)
            return
        self.say('220 test')
        sender, recipients = None, []
        while line := self.rfile.readline().decode('latin-1').rstrip('\r\n'):
            self.server.lines.append(line)
            verb = line.split(':')[0].split(' ')[0].upper()
            if verb == 'EHLO' and self.server.login:
                self.say('250-test\r\n250 AUTH PLAIN')
            elif verb == 'MAIL':
                sender = line.split(':', 1)[1].split('>')[0].strip(' <')
                self.say('250 ok')
            elif verb == 'RCPT':
                recipients.append(line.split(':', 1)[1].strip(' <>'))
                self.say('550 no such user' if 'refused.example' in line else '250 ok')
            elif verb == 'DATA':
                self.say('354 go on')
                raw = b''
                while (piece := self.rfile.readline()) != b'.\r\n':
                    raw += piece[1:] if piece.startswith(b'.') else piece
                self.server.mails.append(Mail(sender, recipients, raw))
                recipients = []
                self.say('250 taken')
            elif verb == 'QUIT':
                self.say('221 bye')
                return
            elif verb == 'AUTH':
                self.say('334 ')
                self.server.lines.append(self.rfile.readline().decode().strip())
                self.say('235 welcome')
            else:
                self.say('250 ok')


class MailServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def __init__(self, login=False, mute=False):
        super().__init__(('127.0.0.1', 0), Talk)
        self.mails, self.lines, self.login, self.mute = [], [], login, mute
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f'smtp://127.0.0.1:{self.server_address[1]}'


def run(script, url=None, *flags, **env):
    """The script's log, one text."""
    with rig.folder() as folder:
        path = rig.write(f'{folder}/s.dg', script)
        more = {'SLUICE_MAIL_SMTP_URL': url} if url else {}
        return rig.command('run', path, *flags, env={**more, **env})


def block(**attributes):
    attributes = {'from': 'zoho.adminuserid', 'to': '"a@x.example"', 'subject': '"s"', 'message': '"m"', **attributes}
    return 'sendmail [ ' + ' '.join(f'{name.replace("_", " ")} : {value}' for name, value in attributes.items()) + ' ];\n'


def caught(**attributes):
    return 'try { ' + block(**attributes) + ' info "sent"; } catch (e) { info e.message; }\n'


server = MailServer()

# ---- what arrives

done = run(block(to='{"Ada Doe <ada@x.example>","b@x.example"}', cc='"c@x.example, d@x.example"', bcc='"secret@x.example"', reply_to='"r@x.example"',
                 subject='"Grüße, Welt"', message='"<p>Schön</p>\\n.\\nend"') + 'info "on";', server.url)
rig.equal('a script that mails goes on', done.err, 'on\n')
rig.equal('one mail arrives', len(server.mails), 1)
mail = server.mails.pop()
message = mail.message
rig.equal('sender of the envelope', mail.sender, 'admin@example.com')
rig.equal('recipients of the envelope', mail.recipients, ['ada@x.example', 'b@x.example', 'c@x.example', 'd@x.example', 'secret@x.example'])
rig.equal('From', message['From'], 'admin@example.com')
rig.equal('To', message['To'], 'Ada Doe <ada@x.example>, b@x.example')
rig.equal('Cc', message['Cc'], 'c@x.example, d@x.example')
rig.equal('Reply-To', message['Reply-To'], 'r@x.example')
rig.ok('bcc stands nowhere', b'secret' not in mail.raw, mail.raw)
rig.equal('Subject beyond ASCII', message['Subject'], 'Grüße, Welt')
rig.equal('HTML unless said otherwise', mail.body().get_content_type(), 'text/html')
rig.equal('text beyond ASCII, with a line that is a dot', mail.body().get_content(), '<p>Schön</p>\n.\nend')
rig.ok('Date and Message-ID', message['Date'].datetime.year > 2000 and message['Message-ID'].endswith('@example.com>'), mail.raw)

run('f = "a,b\\n".toFile("lést.csv");\ng = "x".toFile("g.txt");\n' + block(attachments='file:f, file:g', content_type='TEXT', message='"plain"'), server.url)
mail = server.mails.pop()
files = list(mail.message.iter_attachments())
rig.equal('plain text', mail.body().get_content_type() + ' ' + mail.body().get_content(), 'text/plain plain')
rig.equal('names of attachments', [file.get_filename() for file in files], ['lést.csv', 'g.txt'])
rig.equal('bytes of an attachment', files[0].get_payload(decode=True), b'a,b\n')

run(block(**{'from': '"Sluice <" + zoho.loginuserid + ">"'}), server.url)
rig.equal('a name before the address', server.mails.pop().message['From'], 'Sluice <admin@example.com>')

# ---- what is refused

FROM = 'From: address is not zoho.adminuserid or zoho.loginuserid\n'
rig.equal('another sender', run(caught(**{'from': '"evil@x.example"'}), server.url).err, FROM)
rig.equal('two senders', run(caught(**{'from': '"admin@example.com, evil@x.example"'}), server.url).err, FROM)
rig.equal('a sender that the operator allows', run(caught(**{'from': '"News <news@x.example>"'}), server.url, SLUICE_MAIL_FROM_ALLOWED='a@x, NEWS@x.example').err,
          'sent\n')
server.mails.clear()
rig.matches('no address', run(caught(to='"nobody"'), server.url).err, '"nobody" is not a mail address')
rig.matches('nobody', run(caught(to='""'), server.url).err, '"to" names nobody')
rig.matches('101 recipients', run(caught(to=f'"{",".join("a@x.example" for _ in range(101))}"'), server.url).err, 'at most 100 recipients')
rig.matches('an attachment that is no file', run(caught(attachments='{"a":1}'), server.url).err, 'attachments are FILEs')
rig.matches('a recipient whom the server refuses', run(caught(to='"a@refused.example"'), server.url).err, 'did not take the mail: .*550')
rig.equal('nothing of these was sent', server.mails, [])
run(block(subject='"a\\r\\nBcc: evil@x.example\\r\\n\\r\\nbody"', to='"x\\r\\nBcc: evil <a@x.example>"'), server.url)
mail = server.mails.pop()
rig.ok('line ends in texts make no header', mail.message['Bcc'] is None and mail.recipients == ['a@x.example'], mail.raw)
server.lines.clear()
run(caught(to='"a@x.example>\\r\\nRCPT TO:<evil@x.example"'), server.url)
rig.ok('line ends in addresses make no command', not any('evil' in line for line in server.lines), server.lines)
rig.matches('a missing attribute does not compile', run('sendmail [ from: zoho.adminuserid to: "a@x.example" ];').err, "'SUBJECT' message is missing")

# ---- the mail server

rig.equal('no server is set', run(caught()).err, 'mail is not set up here: setting mail.smtp_url names no server\n')
rig.ok('a wrong URL is wrong usage', run(caught(), 'http://x').code == 2)
with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    url = f'smtp://127.0.0.1:{free.getsockname()[1]}'
rig.matches('a server that is not there', run(caught(), url).err, 'mail server "127.0.0.1" did not take the mail')
rig.matches('a server that is mute', run(caught(), MailServer(mute=True).url, SLUICE_LIMIT_OUTGOING_MS='300').err, 'did not answer in time')
rig.matches('outgoing calls are counted', run(block() * 2, server.url, '--limit', 'outgoing_calls=1').err, 'limit of 1 outgoing calls')
private = MailServer(login=True)
with rig.folder() as folder:
    password = rig.write(f'{folder}/password', 'se=cret\n')
    login = {'SLUICE_MAIL_USER': 'bob', 'SLUICE_MAIL_PASSWORD_FILE': password}
    rig.matches('a password that others may read', run(caught(), private.url, **login).err, 'others may read it')
    os.chmod(password, 0o600)
    rig.equal('a login', run(caught(), private.url, **login).err, 'sent\n')
    rig.ok('the login is said', 'AGJvYgBzZT1jcmV0' in private.lines, private.lines)  # NUL bob NUL se=cret

# ---- the guard, and mails a day, with a server of ours

with rig.folder() as folder:
    extension = rig.extension(f'{folder}/e', functions={'mail': 'string ext.mail(string to)\n{\n' + block(to='to') + 'return "sent";\n}\n'})
    env = {'SLUICE_MAIL_SMTP_URL': server.url, 'SLUICE_LIMIT_MAILS_PER_DAY': '2'}
    server.mails.clear()
    with rig.Server(extension, data=f'{folder}/data', env=env) as served:
        rig.equal('mail of a function', served.call('ext__mail', 'to=a@x.example').output(), 'sent')
        rig.matches('a catchable error is the script\'s', served.call('ext__mail', 'to=a@refused.example').text, 'did not take the mail')
        third = served.call('ext__mail', 'to=a@x.example')
        rig.matches('the third mail of the day', third.text, 'limit of 2 mails a day')
        rig.equal('is a limit', third.header('X-Sluice-Error'), 'limit')
    with rig.Server(extension, data=f'{folder}/data', env=env) as served:
        rig.matches('also after a restart', served.call('ext__mail', 'to=a@x.example').text, 'limit of 2 mails a day')
    rig.equal('one of them arrived', len(server.mails), 1)
    flags = ('--listen', '0.0.0.0:0')
    with rig.Server(extension, data=f'{folder}/other', env={**env, 'SLUICE_LISTEN': '0.0.0.0:0'}, flags=flags) as served:
        served.address = ('127.0.0.1', served.address[1])
        rig.matches('a private mail server must be allowed', served.call('ext__mail', 'to=a@x.example').text, 'private or reserved')
    with rig.Server(extension, data=f'{folder}/third', env={**env, 'SLUICE_OUTBOUND_ALLOW': '127.0.0.1'}, flags=flags) as served:
        served.address = ('127.0.0.1', served.address[1])
        rig.equal('and then is', served.call('ext__mail', 'to=a@x.example').output(), 'sent')
rig.done()
