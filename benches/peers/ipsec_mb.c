/* intel-ipsec-mb doing the cryptography of SRTP, timed for the benchmark `srtp_table`, which
 * compiles and runs it.
 *
 * For each line of standard input, SUITE DIRECTION PAYLOAD MODE, it works on a round of packets and
 * prints the nanoseconds that one packet took. SUITE is cm128, cm256, gcm128 or gcm256, DIRECTION
 * protect or unprotect, MODE single or burst. Of SRTP it does the least that a user of the library
 * must: initial vector and ROC from the sequence number, tag behind the packet, tags compared. It
 * looks up no stream, keeps no replay list and counts nothing.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <intel-ipsec-mb.h>

#define ROUND 256
#define BURST 64
#define HEADER 12
#define ROOM 2048

static IMB_MGR *mgr;
static uint32_t round_keys[15 * 4] __attribute__((aligned(64)));
static uint32_t unused_keys[15 * 4] __attribute__((aligned(64)));
static struct gcm_key_data gcm_key __attribute__((aligned(64)));
static uint8_t inner[20] __attribute__((aligned(16)));
static uint8_t outer[20] __attribute__((aligned(16)));
static uint8_t packets[ROUND][ROOM] __attribute__((aligned(64)));
static uint8_t ivs[ROUND][16], tags[ROUND][20];
static unsigned bits, payload, broken;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static void set_keys(void)
{
    uint8_t key[32], block[64], i;

    memset(key, 0x5a, sizeof key);
    if (bits == 128) {
        IMB_AES_KEYEXP_128(mgr, key, round_keys, unused_keys);
        IMB_AES128_GCM_PRE(mgr, key, &gcm_key);
    } else {
        IMB_AES_KEYEXP_256(mgr, key, round_keys, unused_keys);
        IMB_AES256_GCM_PRE(mgr, key, &gcm_key);
    }
    for (i = 0; i < 2; i++) {
        memset(block, i ? 0x5c : 0x36, sizeof block);
        block[0] ^= 1;
        IMB_SHA1_ONE_BLOCK(mgr, block, i ? outer : inner);
    }
}

/* A counter block or nonce of the packet, and the ROC behind it. */
static void prepare(unsigned at)
{
    uint8_t *packet = packets[at], *iv = ivs[at];

    memset(iv, 0xa5, 14);
    iv[12] ^= packet[2];
    iv[13] ^= packet[3];
    iv[14] = iv[15] = 0;
    memset(packet + HEADER + payload, 0, 4);
}

static void fill(IMB_JOB *job, unsigned at, int protect)
{
    uint8_t *packet = packets[at];

    prepare(at);
    job->cipher_direction = protect ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
    job->chain_order = protect ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
    job->cipher_mode = IMB_CIPHER_CNTR;
    job->hash_alg = IMB_AUTH_HMAC_SHA_1;
    job->enc_keys = job->dec_keys = round_keys;
    job->key_len_in_bytes = bits / 8;
    job->src = packet;
    job->dst = packet + HEADER;
    job->cipher_start_src_offset_in_bytes = HEADER;
    job->msg_len_to_cipher_in_bytes = payload;
    job->hash_start_src_offset_in_bytes = 0;
    job->msg_len_to_hash_in_bytes = HEADER + payload + 4;
    job->iv = ivs[at];
    job->iv_len_in_bytes = 16;
    job->auth_tag_output = tags[at];
    job->auth_tag_output_len_in_bytes = 12;
    job->u.HMAC._hashed_auth_key_xor_ipad = inner;
    job->u.HMAC._hashed_auth_key_xor_opad = outer;
    job->user_data = (void *) (uintptr_t) at;
}

/* Behind the packet lies what came with it, or what goes with it. */
static void finish(IMB_JOB *job, int protect, uint8_t (*received)[20])
{
    unsigned at = (unsigned) (uintptr_t) job->user_data;

    if (job->status != IMB_STATUS_COMPLETED)
        broken++;
    if (protect)
        memcpy(packets[at] + HEADER + payload, tags[at], 10);
    else if (memcmp(tags[at], received[at], 10) != 0)
        broken++;
}

static void cm(int protect, int burst, uint8_t (*received)[20])
{
    IMB_JOB *jobs[BURST], *job;
    unsigned at, i, done, left;

    if (!burst) {
        for (at = 0; at < ROUND; at++) {
            job = IMB_GET_NEXT_JOB(mgr);
            fill(job, at, protect);
            job = IMB_SUBMIT_JOB(mgr);
            if (job == NULL)
                job = IMB_FLUSH_JOB(mgr);
            finish(job, protect, received);
        }
        return;
    }
    for (at = 0; at < ROUND; at += BURST) {
        if (IMB_GET_NEXT_BURST(mgr, BURST, jobs) != BURST) {
            fputs("no room for a burst\n", stderr);
            exit(1);
        }
        for (i = 0; i < BURST; i++)
            fill(jobs[i], at + i, protect);
        for (left = BURST, done = IMB_SUBMIT_BURST(mgr, BURST, jobs);;
             done = IMB_FLUSH_BURST(mgr, BURST, jobs)) {
            for (i = 0; i < done; i++)
                finish(jobs[i], protect, received);
            left -= done;
            if (left == 0)
                break;
        }
    }
}

static void gcm(int protect, uint8_t (*received)[20])
{
    struct gcm_context_data context;
    unsigned at;

    for (at = 0; at < ROUND; at++) {
        uint8_t *packet = packets[at], *body = packet + HEADER, tag[16];

        prepare(at);
        if (protect && bits == 128)
            IMB_AES128_GCM_ENC(mgr, &gcm_key, &context, body, body, payload, ivs[at], packet,
                               HEADER, body + payload, 16);
        else if (protect)
            IMB_AES256_GCM_ENC(mgr, &gcm_key, &context, body, body, payload, ivs[at], packet,
                               HEADER, body + payload, 16);
        else if (bits == 128)
            IMB_AES128_GCM_DEC(mgr, &gcm_key, &context, body, body, payload, ivs[at], packet,
                               HEADER, tag, 16);
        else
            IMB_AES256_GCM_DEC(mgr, &gcm_key, &context, body, body, payload, ivs[at], packet,
                               HEADER, tag, 16);
        if (!protect && memcmp(tag, received[at], 16) != 0)
            broken++;
    }
}

int main(void)
{
    static uint8_t received[ROUND][20];
    char suite[16], direction[16], mode[16];
    unsigned at, seq = 0;
    double begin, end;

    mgr = alloc_mb_mgr(0);
    if (mgr == NULL)
        return 1;
    init_mb_mgr_auto(mgr, NULL);
    while (scanf("%15s %15s %u %15s", suite, direction, &payload, mode) == 4) {
        int is_cm = suite[0] == 'c', protect = direction[0] == 'p', burst = mode[0] == 'b';

        if (payload > ROOM - 64)
            return 1;
        bits = (unsigned) atoi(suite + (is_cm ? 2 : 3));
        set_keys();
        for (at = 0; at < ROUND; at++, seq++) {
            memset(packets[at], 0xd5, HEADER + payload);
            packets[at][2] = (uint8_t) (seq >> 8);
            packets[at][3] = (uint8_t) seq;
        }
        if (!protect) {
            if (is_cm)
                cm(1, 1, received);
            else
                gcm(1, received);
            for (at = 0; at < ROUND; at++)
                memcpy(received[at], packets[at] + HEADER + payload, is_cm ? 10 : 16);
        }
        begin = now();
        if (is_cm)
            cm(protect, burst, received);
        else
            gcm(protect, received);
        end = now();
        if (broken) {
            fputs("intel-ipsec-mb does not open what it sealed\n", stderr);
            return 1;
        }
        printf("%.2f\n", (end - begin) / ROUND);
        fflush(stdout);
    }
    return 0;
}
