"""The fixtures that python's cryptography makes: an IDN, an expired leaf, one past 2050, and a self-signed CN with RFC 4514 specials."""
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

UTC = datetime.timezone.utc


def make(name, common_name, dns, begin, end):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, 'Größe, "Söhne" + Co'),
                         x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
               .serial_number(0x0A).not_valid_before(begin).not_valid_after(end)
               .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in dns]), False)
               .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False))
    certificate = builder.sign(key, hashes.SHA256())
    with open(name + '.pem', 'wb') as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM))


make('idn', 'xn--bcher-kva.example', ['xn--bcher-kva.example'],
     datetime.datetime(2026, 1, 1, tzinfo=UTC), datetime.datetime(2046, 1, 1, tzinfo=UTC))
make('expired', 'gw.example.com', ['gw.example.com'],
     datetime.datetime(2020, 1, 1, tzinfo=UTC), datetime.datetime(2020, 3, 31, 23, 59, 59, tzinfo=UTC))
make('past-2050', 'gw.example.com', ['gw.example.com'],
     datetime.datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), datetime.datetime(2050, 1, 1, tzinfo=UTC))
