#!/usr/bin/env python3
"""Reference values for the derivations and exchanges, written from RFC 3830, 4650 and 6043 alone.

Uses hashlib and hmac of Python and AES of the `openssl` command; shares nothing with the crate.
Run as `./make.py > reference.txt`.
"""

import hashlib
import hmac
import pathlib
import subprocess


def P(h, s, label, m):
    a, out = label, b""
    for _ in range(m):
        a = hmac.new(s, a, h).digest()
        out += hmac.new(s, a + label, h).digest()
    return out


def prf(h, inkey, label, outlen):
    m = -(-outlen // hashlib.new(h).digest_size)
    out = bytes(outlen)
    for i in range(0, len(inkey), 32):
        p = P(h, inkey[i:i + 32], label, m)[:outlen]
        out = bytes(x ^ y for x, y in zip(out, p))
    return out


def ctr(key, iv, data):
    cipher = f"-aes-{8 * len(key)}-ctr"
    cmd = ["openssl", "enc", cipher, "-K", key.hex(), "-iv", iv.hex()]
    return subprocess.run(cmd, input=data, capture_output=True, check=True).stdout


def octets(seed, n):
    out = b""
    while len(out) < n:
        out += hashlib.sha512(f"{seed}/{len(out)}".encode()).digest()
    return out[:n]


def show(name, **values):
    fields = " ".join(f"{k}={v.hex() if isinstance(v, bytes) else v}" for k, v in values.items())
    print(f"{name} {fields}")


ENCR, AUTH, SALT = (bytes.fromhex(x) for x in ("150533E1", "2D22AC75", "29B88916"))
TEK, TAUTH, TENCR, TSALT = (bytes.fromhex(x) for x in ("2AD01C64", "1B5C7973", "15798CEF", "39A2C14B"))

# PRF, whole blocks and not, of both keys
for h in ("sha1", "sha256"):
    for inlen in (16, 20, 31, 32, 33, 64, 65, 192):
        for outlen in (8, 14, 16, 20, 21, 32, 33, 64):
            key, label = octets(f"in{inlen}", inlen), octets(f"label{outlen}", 25)
            show("prf", h=h, key=key, label=label, out=prf(h, key, label, outlen))

# Labels, each from its formula
csb, rand = octets("csb", 4), octets("rand", 16)
ri, rr, kms, idr = octets("ri", 16), octets("rr", 17), octets("kms", 18), b"sip:bob@example.org"
for name, c in (("tek", TEK), ("authentication", TAUTH), ("encryption", TENCR), ("salt", TSALT)):
    show("label", of=f"session/{name}", label=c + b"\x05" + csb + rand)
    for tail, tn in ((bytes([16]) + ri + bytes([17]) + rr, "both"), (bytes([16]) + ri + b"\0", "i"),
                     (b"\0" + bytes([17]) + rr, "r")):
        show("label", of=f"ticket-session/{name}/{tn}", label=c + b"\x05" + b"\xff" * 4 + b"\x03" + tail)
for name, c in (("encryption", ENCR), ("authentication", AUTH), ("salt", SALT)):
    show("label", of=f"message/{name}", label=c + b"\xff" + csb + rand)
    show("label", of=f"base-ticket/{name}", label=c + b"\xff" * 5 + b"\x05" + bytes([16]) + rand)
    for tail, tn in ((bytes([16]) + ri + bytes([17]) + rr, "both"), (bytes([16]) + ri + b"\0", "i"),
                     (b"\0" + bytes([17]) + rr, "r")):
        show("label", of=f"ticket-initial/{name}/{tn}", label=c + b"\xff" + csb + b"\x01" + tail)
        show("label", of=f"ticket-response/{name}/{tn}", label=c + b"\xff" + csb + b"\x02" + tail)
show("label", of="initiator-data", label=AUTH + b"\xff" * 5 + b"\x04")
for name, c in (("mpki", "220E99A2"), ("mpkr", "1F4D675B")):
    show("label", of=name, label=bytes.fromhex(c) + b"\xff" * 5 + b"\x06" + bytes([16]) + rand)
for name, c in (("forked-mpkr", "2B288856"), ("forked-tgk", "1512B54A")):
    show("label", of=name, label=bytes.fromhex(c) + b"\xff" * 5 + b"\x00"
         + len(idr).to_bytes(2, "big") + idr + bytes([18]) + kms)

# A pre-shared key exchange: I_MESSAGE with V = 1 and one SRTP stream, and its R_MESSAGE
ALICE, BOB = b"sip:alice@example.org", b"sip:bob@example.org"


def payload_id(nxt, who):
    return bytes([nxt, 1]) + len(who).to_bytes(2, "big") + who


for name, h, prf_no, encr_no, mac_no, klen, maclen in (
        ("aes_cm_128_hmac_sha1", "sha1", 0, 1, 1, 16, 20),
        ("aes_cm_256_hmac_sha256", "sha256", 1, 3, 2, 32, 32)):
    psk, csb, tgk = octets("psk", klen), bytes.fromhex("0badcafe"), octets("tgk", klen)
    rand = octets("rand-psk", klen)
    ts = (((1800000000 + 2208988800) & 0xFFFFFFFF) << 32).to_bytes(8, "big")

    def key(c, n):
        return prf(h, psk, c + b"\xff" + csb + rand, n)

    cs = bytes([0]) + bytes.fromhex("12345678") + bytes(4)
    hdr = lambda dt, nxt, v: bytes([1, dt, nxt, v << 7 | prf_no]) + csb + bytes([1, 0]) + cs
    t = lambda nxt: bytes([nxt, 0]) + ts
    key_data = bytes([0, 0x01]) + len(tgk).to_bytes(2, "big") + tgk + bytes([2, 0xAB, 0xCD])
    s = int.from_bytes(key(SALT, 14), "big") ^ int.from_bytes(b"\0\0" + csb + ts, "big")
    iv = s.to_bytes(14, "big") + b"\0\0"
    encr = ctr(key(ENCR, klen), iv, key_data)
    init = (hdr(0, 5, 1) + t(11) + bytes([6, len(rand)]) + rand + payload_id(6, ALICE) + payload_id(1, BOB)
            + bytes([0, encr_no]) + len(encr).to_bytes(2, "big") + encr + bytes([mac_no]))
    init += hmac.new(key(AUTH, maclen), init, h).digest()
    resp = hdr(1, 5, 0) + t(6) + payload_id(9, BOB) + bytes([0, mac_no])
    resp += hmac.new(key(AUTH, maclen), resp + ALICE + BOB + ts, h).digest()
    tek = prf(h, tgk, TEK + b"\x01" + csb + rand, 16)
    salt = prf(h, tgk, TSALT + b"\x01" + csb + rand, 14)
    show("psk", suite=name, psk=psk, tgk=tgk, init=init, resp=resp, tek=tek, salt=salt)

# OAKLEY groups: p, g^x, g^y and g^xy
F = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A6"
PRIMES = {
    "oakley1": F + "3A3620FFFFFFFFFFFFFFFF",
    "oakley2": F + "37ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    "oakley5": F + "37ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF",
}
EXPONENTS = {}
for name, p in PRIMES.items():
    n, p = len(p) // 2, int(p, 16)
    x, y = (int.from_bytes(octets(f"{name}{who}", 32), "big") for who in "xy")
    values = {"x": x, "y": y, "p": p, "n": n}
    EXPONENTS[name] = values
    show("dh", group=name, x=x.to_bytes(32, "big"), gx=pow(2, x, p).to_bytes(n, "big"),
         gy=pow(2, y, p).to_bytes(n, "big"), tgk=pow(2, x * y, p).to_bytes(n, "big"),
         p=p.to_bytes(n, "big"))

# A DHHMAC exchange: I_message, and the R_message of a Responder whose exponent is y
for name, h, prf_no, mac_no, maclen, group_no, group in (
        ("null_hmac_sha1", "sha1", 0, 1, 20, 0, "oakley5"),
        ("null_hmac_sha256", "sha256", 1, 2, 32, 2, "oakley2")):
    psk, csb, rand = octets("psk-dh", 16), bytes.fromhex("00c0ffee"), octets("rand-dh", maclen)
    ts = (((1800000000 + 2208988800) & 0xFFFFFFFF) << 32).to_bytes(8, "big")
    auth = prf(h, psk, AUTH + b"\xff" + csb + rand, maclen)
    e = EXPONENTS[group]
    dhi, dhr, tgk = (pow(2, k, e["p"]).to_bytes(e["n"], "big") for k in (e["x"], e["y"], e["x"] * e["y"]))
    dh = lambda nxt, value: bytes([nxt, group_no]) + value + bytes([0x01, 1, 0x77])
    cs = bytes([0]) + bytes.fromhex("12345678") + bytes(4)
    hdr = lambda dt, nxt, v: bytes([1, dt, nxt, v << 7 | prf_no]) + csb + bytes([1, 0]) + cs
    t = lambda nxt: bytes([nxt, 0]) + ts
    kemac = bytes([0, 0, 0, 0, mac_no])
    init = (hdr(7, 5, 1) + t(11) + bytes([6, len(rand)]) + rand + payload_id(6, ALICE) + payload_id(3, BOB)
            + dh(1, dhi) + kemac)
    init += hmac.new(auth, init, h).digest()
    resp = hdr(8, 5, 0) + t(6) + payload_id(6, BOB) + payload_id(3, ALICE) + dh(3, dhr) + dh(1, dhi) + kemac
    resp += hmac.new(auth, resp, h).digest()
    show("dhhmac", suite=name, psk=psk, y=e["y"].to_bytes(32, "big"), init=init, resp=resp, tgk=tgk)

# A public-key exchange: the envelope key in PKCS#1 v1.5 with padding that is not random, a signature
# by `openssl`, and the R_MESSAGE that the envelope key authenticates
RSA = pathlib.Path(__file__).parent.parent / "rsa"
for name, h, prf_no, encr_no, mac_no, klen, maclen in (
        ("aes_cm_128_hmac_sha1", "sha1", 0, 1, 1, 16, 20),
        ("aes_cm_256_hmac_sha256", "sha256", 1, 3, 2, 32, 32)):
    env, csb, tgk, rand = octets("env", klen), bytes.fromhex("feedf00d"), octets("tgk-pk", 16), octets("rand-pk", klen)
    ts = (((1800000000 + 2208988800) & 0xFFFFFFFF) << 32).to_bytes(8, "big")
    n = int.from_bytes((RSA / "bob.modulus.bin").read_bytes(), "big")
    padding = octets("padding", 400).replace(b"\0", b"")[:256 - 3 - klen]
    pke = pow(int.from_bytes(b"\0\2" + padding + b"\0" + env, "big"), 65537, n).to_bytes(256, "big")

    def key(c, length):
        return prf(h, env, c + b"\xff" + csb + rand, length)

    s = int.from_bytes(key(SALT, 14), "big") ^ int.from_bytes(b"\0\0" + csb + ts, "big")
    encr = ctr(key(ENCR, klen), s.to_bytes(14, "big") + b"\0\0",
               payload_id(20, ALICE) + bytes([0, 0]) + len(tgk).to_bytes(2, "big") + tgk)
    kemac = lambda nxt: bytes([nxt, encr_no]) + len(encr).to_bytes(2, "big") + encr + bytes([mac_no])
    cs = bytes([0]) + bytes.fromhex("12345678") + bytes(4)
    hdr = lambda dt, nxt, v: bytes([1, dt, nxt, v << 7 | prf_no]) + csb + bytes([1, 0]) + cs
    t = lambda nxt: bytes([nxt, 0]) + ts
    init = (hdr(2, 5, 1) + t(11) + bytes([6, len(rand)]) + rand + payload_id(6, ALICE) + payload_id(1, BOB)
            + kemac(2) + hmac.new(key(AUTH, maclen), kemac(0), h).digest()
            + bytes([4]) + (2 << 14 | 256).to_bytes(2, "big") + pke + (0 << 12 | 256).to_bytes(2, "big"))
    cmd = ["openssl", "dgst", "-sha256", "-sign", RSA / "alice.pkcs8.der", "-keyform", "DER"]
    init += subprocess.run(cmd, input=init, capture_output=True, check=True).stdout
    resp = hdr(3, 5, 0) + t(6) + payload_id(9, BOB) + bytes([0, mac_no])
    resp += hmac.new(key(AUTH, maclen), resp + ALICE + BOB + ts, h).digest()
    show("pk", suite=name, tgk=tgk, init=init, resp=resp)
