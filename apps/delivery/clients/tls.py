"""The TLS settings of both clients."""

import ssl

import certifi


def client_context() -> ssl.SSLContext:
    """Verify certificates and names against the system's authorities, TLS 1.2 or newer.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` add private authorities, as OpenSSL has it. A system without
    any store, such as a minimal container, falls back to the authorities of certifi.
    """
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not (paths.cafile or paths.capath):
        context.load_verify_locations(certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context
