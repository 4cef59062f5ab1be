"""GStreamer's MIKEY (libgstsdp) as a filter: the peer of tests/peer_gstreamer.rs.

A line of hex on standard input is read as a message; out comes `read`, the number of crypto sessions
and payloads, each session, and the message as GStreamer writes it again. The word `make` makes
messages of its own and prints them with what is in them.

By ctypes: python3-gi cannot make the (empty) decryption info that its binding insists on.
"""

import ctypes
import sys

gst = ctypes.CDLL("libgstreamer-1.0.so.0")
sdp = ctypes.CDLL("libgstsdp-1.0.so.0")
glib = ctypes.CDLL("libglib-2.0.so.0")


class SrtpSession(ctypes.Structure):
    _fields_ = [("policy", ctypes.c_uint8), ("ssrc", ctypes.c_uint32), ("roc", ctypes.c_uint32)]


def pointer(function, *arguments):
    function.restype = ctypes.c_void_p
    found = function(*arguments)
    return ctypes.c_void_p(found) if found else None


def written(message):
    octets = pointer(sdp.gst_mikey_message_to_bytes, message, None, None)
    size = ctypes.c_size_t()
    data = pointer(glib.g_bytes_get_data, octets, ctypes.byref(size))
    return ctypes.string_at(data, size.value).hex()


def read(octets):
    message = pointer(
        sdp.gst_mikey_message_new_from_data, octets, ctypes.c_size_t(len(octets)), None, None
    )
    if message is None:
        print("refused")
        return
    sessions = sdp.gst_mikey_message_get_n_cs(message)
    print("read", sessions, sdp.gst_mikey_message_get_n_payloads(message))
    sdp.gst_mikey_message_get_cs_srtp.restype = ctypes.POINTER(SrtpSession)
    for i in range(sessions):
        session = sdp.gst_mikey_message_get_cs_srtp(message, i).contents
        print(f"{session.policy} {session.ssrc:08x} {session.roc}")
    print(written(message))


KEMAC, PKE, SP, KEY_DATA = 1, 2, 10, 20


def new_payload(payload_type):
    return pointer(sdp.gst_mikey_payload_new, payload_type)


def make():
    """One message for each type of key that GStreamer knows, and each validity."""
    for key_type, salt in ((0, False), (0, True), (2, False), (2, True)):
        for validity in range(3):
            message = pointer(sdp.gst_mikey_message_new)
            sdp.gst_mikey_message_set_info(message, 1, 0, 1, 0, ctypes.c_uint32(0xDEADBEEF), 0)
            sdp.gst_mikey_message_add_cs_srtp(message, 3, ctypes.c_uint32(0x89ABCDEF), 5)
            sdp.gst_mikey_message_add_t(message, 0, bytes(range(8)))
            sdp.gst_mikey_message_add_rand(message, 16, bytes(range(16)))
            policy = new_payload(SP)
            sdp.gst_mikey_payload_sp_set(policy, 3, 0)
            for parameter, value in ((0, 1), (1, 16), (2, 1), (3, 20), (10, 1), (11, 10)):
                sdp.gst_mikey_payload_sp_add_param(policy, parameter, 1, bytes([value]))
            sdp.gst_mikey_message_add_payload(message, policy)
            kemac = new_payload(KEMAC)
            sdp.gst_mikey_payload_kemac_set(kemac, 0, 0)
            key = new_payload(KEY_DATA)
            sdp.gst_mikey_payload_key_data_set_key(key, key_type, 16, bytes([0x5A] * 16))
            if salt:
                sdp.gst_mikey_payload_key_data_set_salt(key, 14, bytes([0xA5] * 14))
            if validity == 1:
                sdp.gst_mikey_payload_key_data_set_spi(key, 4, bytes([1, 2, 3, 4]))
            if validity == 2:
                sdp.gst_mikey_payload_key_data_set_interval(key, 6, bytes(6), 6, bytes([9] * 6))
            sdp.gst_mikey_payload_kemac_add_sub(kemac, key)
            sdp.gst_mikey_message_add_payload(message, kemac)
            print(key_type + salt, validity, written(message))


gst.gst_init(None, None)
for line in sys.stdin:
    line = line.strip()
    if line == "make":
        make()
    else:
        read(bytes.fromhex(line))
    sys.stdout.flush()
