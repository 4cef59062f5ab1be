/*
 * libsrtp behind a line protocol, for the tests of this package.
 *
 *   libsrtp PROFILE DIRECTION SSRC WINDOW KEY [MKI]
 *
 *   PROFILE    a name of the table below
 *   DIRECTION  outbound (any SSRC) or inbound (any SSRC), or with SSRC for that one stream
 *   SSRC       eight hexadecimal digits, or "any"
 *   WINDOW     replay window in packets; 0 is libsrtp's default (128)
 *   KEY        master key and salt, hexadecimal
 *   MKI        hexadecimal; absent for none
 *
 * Each line of standard input is a command, a space and a packet in hexadecimal:
 *
 *   protect-rtp, protect-rtcp, unprotect-rtp, unprotect-rtcp
 *
 * or "roc ROC" (decimal), which sets the ROC of the stream SSRC. Each answer is a line:
 * "ok HEX", or "error NUMBER" with libsrtp's srtp_err_status_t.
 */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PACKET = 65536, LINE = 2 * MAX_PACKET + 64 };

typedef void (*set_policy)(srtp_crypto_policy_t *);

/* srtp.h has a macro, not a function, for this one. */
static void set_aes_cm_128_hmac_sha1_80(srtp_crypto_policy_t *policy) {
    srtp_crypto_policy_set_rtp_default(policy);
}

static const struct {
    const char *name;
    set_policy rtp, rtcp;
} profiles[] = {
    {"AES_CM_128_HMAC_SHA1_80", set_aes_cm_128_hmac_sha1_80, set_aes_cm_128_hmac_sha1_80},
    {"AES_CM_128_HMAC_SHA1_32", srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
     set_aes_cm_128_hmac_sha1_80},
    {"AES_192_CM_HMAC_SHA1_80", srtp_crypto_policy_set_aes_cm_192_hmac_sha1_80,
     srtp_crypto_policy_set_aes_cm_192_hmac_sha1_80},
    {"AES_192_CM_HMAC_SHA1_32", srtp_crypto_policy_set_aes_cm_192_hmac_sha1_32,
     srtp_crypto_policy_set_aes_cm_192_hmac_sha1_80},
    {"AES_256_CM_HMAC_SHA1_80", srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
     srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80},
    {"AES_256_CM_HMAC_SHA1_32", srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
     srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80},
    {"AEAD_AES_128_GCM", srtp_crypto_policy_set_aes_gcm_128_16_auth,
     srtp_crypto_policy_set_aes_gcm_128_16_auth},
    {"AEAD_AES_256_GCM", srtp_crypto_policy_set_aes_gcm_256_16_auth,
     srtp_crypto_policy_set_aes_gcm_256_16_auth},
};

static void fail(const char *what) {
    fprintf(stderr, "libsrtp: %s\n", what);
    exit(2);
}

/* Octets of the hexadecimal digits at `hex`, or -1. */
static int decode(const char *hex, unsigned char *out, int room) {
    int len = 0;
    for (; hex[0] != '\0' && hex[0] != '\n'; hex += 2, len++) {
        unsigned octet;
        char digits[3] = {hex[0], hex[1], '\0'};
        if (len == room || sscanf(digits, "%2x", &octet) != 1 || strlen(digits) != 2)
            return -1;
        out[len] = (unsigned char)octet;
    }
    return len;
}

static void answer(srtp_err_status_t status, const unsigned char *packet, int len) {
    if (status != srtp_err_status_ok) {
        printf("error %d\n", (int)status);
    } else {
        fputs("ok ", stdout);
        for (int i = 0; i < len; i++)
            printf("%02x", packet[i]);
        putchar('\n');
    }
}

int main(int argc, char **argv) {
    static unsigned char key[SRTP_MAX_KEY_LEN], mki[128], packet[MAX_PACKET + SRTP_MAX_TRAILER_LEN];
    static char line[LINE];
    srtp_master_key_t master = {key, mki, 0};
    srtp_master_key_t *masters[] = {&master};
    srtp_policy_t policy;
    srtp_t session;

    if (argc < 6 || argc > 7)
        fail("usage: libsrtp PROFILE DIRECTION SSRC WINDOW KEY [MKI]");

    memset(&policy, 0, sizeof policy);
    size_t profile = 0, count = sizeof profiles / sizeof profiles[0];
    while (profile < count && strcmp(profiles[profile].name, argv[1]) != 0)
        profile++;
    if (profile == count)
        fail("unknown profile");
    profiles[profile].rtp(&policy.rtp);
    profiles[profile].rtcp(&policy.rtcp);

    int outbound = strcmp(argv[2], "outbound") == 0;
    if (strcmp(argv[3], "any") != 0) {
        policy.ssrc.type = ssrc_specific;
        policy.ssrc.value = (unsigned)strtoul(argv[3], NULL, 16);
    } else {
        policy.ssrc.type = outbound ? ssrc_any_outbound : ssrc_any_inbound;
    }
    policy.window_size = strtoul(argv[4], NULL, 10);
    if (decode(argv[5], key, sizeof key) != policy.rtp.cipher_key_len)
        fail("the key has another length than the profile's");
    int use_mki = argc == 7;
    if (use_mki) {
        int mki_len = decode(argv[6], mki, sizeof mki);
        if (mki_len < 1)
            fail("bad MKI");
        master.mki_size = (unsigned)mki_len;
        policy.keys = masters;
        policy.num_master_keys = 1;
    } else {
        policy.key = key;
    }

    if (srtp_init() != srtp_err_status_ok || srtp_create(&session, &policy) != srtp_err_status_ok)
        fail("no session");

    while (fgets(line, sizeof line, stdin) != NULL) {
        char *argument = strchr(line, ' ');
        if (argument == NULL)
            fail("a command has no argument");
        *argument++ = '\0';
        if (strcmp(line, "roc") == 0) {
            unsigned roc = (unsigned)strtoul(argument, NULL, 10);
            answer(srtp_set_stream_roc(session, policy.ssrc.value, roc), packet, 0);
        } else {
            int len = decode(argument, packet, MAX_PACKET);
            if (len < 0)
                fail("bad hexadecimal digits");
            srtp_err_status_t status;
            if (strcmp(line, "protect-rtp") == 0)
                status = srtp_protect_mki(session, packet, &len, use_mki, 0);
            else if (strcmp(line, "protect-rtcp") == 0)
                status = srtp_protect_rtcp_mki(session, packet, &len, use_mki, 0);
            else if (strcmp(line, "unprotect-rtp") == 0)
                status = srtp_unprotect_mki(session, packet, &len, use_mki);
            else if (strcmp(line, "unprotect-rtcp") == 0)
                status = srtp_unprotect_rtcp_mki(session, packet, &len, use_mki);
            else {
                fail("unknown command");
                return 2;
            }
            answer(status, packet, len);
        }
        fflush(stdout);
    }
    srtp_dealloc(session);
    srtp_shutdown();
    return 0;
}
