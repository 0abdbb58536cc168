"""dovecot and postfix as the mail module of a gateway."""

import shutil
import socket

from .daemon import Daemon
from .process import run

DOVECOT = """base_dir = {folder}/run
import_environment = TZ OPENSSL_CONF
log_path = {log}
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{files}/fullchain.pem
ssl_key = <{files}/key.pem
# Login processes sign through keyd's socket. They stay: with one for each client, dovecot's own limits on starting
# them turn a crowd away.
service imap-login {{
  service_count = 0
  process_min_avail = 1
  chroot =
}}
service pop3-login {{
  service_count = 0
  process_min_avail = 1
  chroot =
}}
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={folder}/mail
}}
mail_location = maildir:{folder}/mail
"""
POSTFIX = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.com
mydestination = mail.example.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
maillog_file = /dev/stdout
smtpd_tls_security_level = may
smtpd_tls_cert_file = {files}/fullchain.pem
smtpd_tls_key_file = {files}/key.pem
smtpd_tls_session_cache_database =
smtpd_peername_lookup = no
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
import_environment = MAIL_CONFIG TZ LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME OPENSSL_CONF={openssl_conf}
"""
MASTER = """smtp inet n - n - - smtpd
submission inet n - n - - smtpd
submissions inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
proxymap unix - - n - - proxymap
local unix - n n - - local
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


class Dovecot(Daemon):
    service, unit, port = "imap", "dovecot.service", 993

    def configure(self):
        self.configuration = self.folder / "dovecot.conf"
        self.configuration.write_text(DOVECOT.format(folder=self.folder, log=self.log, files=self.files()))

    def command(self):
        return ["dovecot", "-F", "-c", self.configuration]

    def reload_command(self):
        return f"doveadm -c {self.configuration} reload"

    def connect(self, context):
        raw = socket.create_connection(("127.0.0.1", 143), 10)
        lines = raw.makefile("rb", buffering=0)
        lines.readline()
        raw.sendall(b"a STARTTLS\r\n")
        lines.readline()
        return context.wrap_socket(raw, server_hostname=self.names[0])


class Postfix(Daemon):
    service, unit, port = "smtp", "postfix.service", 465

    def configure(self):
        for name in ("queue", "data", "etc"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        (self.folder / "etc/main.cf").write_text(POSTFIX.format(
            folder=self.folder, files=self.files(), openssl_conf=self.box.openssl_conf))
        (self.folder / "etc/master.cf").write_text(MASTER)

    def command(self):
        return ["postfix", "-c", self.folder / "etc", "start-fg"]

    def reload_command(self):
        return f"postfix -c {self.folder}/etc reload"

    def end(self):
        run(["postfix", "-c", self.folder / "etc", "stop"], check=False)  # its master is no child of ours

    def connect(self, context):
        raw = socket.create_connection(("127.0.0.1", 587), 10)
        lines = raw.makefile("rb", buffering=0)
        lines.readline()
        raw.sendall(b"EHLO client.example\r\n")
        while lines.readline()[3:4] == b"-":
            pass
        raw.sendall(b"STARTTLS\r\n")
        lines.readline()
        return context.wrap_socket(raw, server_hostname=self.names[0])
