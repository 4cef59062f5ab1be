/* OpenSSL's AuthEnvelopedData and AES-CCM, timed for the benchmark `smime_psk`, which compiles and
 * runs it.
 *
 *     openssl_cms OCTETS ITERATIONS
 *
 * For each line of standard input it does that ITERATIONS times with a content of OCTETS and prints
 * the nanoseconds that one took:
 *
 *     encrypt   CMS AuthEnvelopedData, AES-256-GCM, a KEK recipient with AES-256 key wrap, to DER
 *     decrypt   the same, from DER to the content
 *     ccm       EVP AES-128-CCM, 12-octet nonce, 16-octet tag, key schedule included: encrypt
 *     ccm-open  the same: decrypt
 *
 * It ends with status 1 where OpenSSL refuses, or where another content comes out.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>

enum { KEK = 32, TAG = 16, NONCE = 12 };

static unsigned char kek[KEK], key_id[] = "id", ccm_key[16], nonce[NONCE];
static unsigned char *content, *out;
static int length;

static void require(int holds)
{
    if (!holds) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static unsigned char *copy(const unsigned char *octets, size_t len)
{
    unsigned char *own = OPENSSL_malloc(len);
    require(own != NULL);
    return memcpy(own, octets, len);
}

static int encrypt(const EVP_CIPHER *cipher, unsigned char **der)
{
    CMS_ContentInfo *cms = CMS_AuthEnvelopedData_create(cipher);
    require(cms != NULL && CMS_set_detached(cms, 0) == 1);
    /* It takes the key and its identifier, and gives them back when it is freed. */
    require(CMS_add0_recipient_key(cms, NID_undef, copy(kek, KEK), KEK, copy(key_id, 2), 2, NULL,
                                   NULL, NULL) != NULL);
    BIO *in = BIO_new_mem_buf(content, length);
    require(in != NULL && CMS_final(cms, in, NULL, CMS_BINARY) == 1);
    *der = NULL;
    int len = i2d_CMS_ContentInfo(cms, der);
    require(len > 0);
    BIO_free(in);
    CMS_ContentInfo_free(cms);
    return len;
}

static void decrypt(const unsigned char *der, int len)
{
    CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &der, len);
    BIO *to = BIO_new(BIO_s_mem());
    char *opened = NULL;
    require(cms != NULL && to != NULL);
    require(CMS_decrypt_set1_key(cms, kek, KEK, key_id, 2) == 1);
    require(CMS_decrypt(cms, NULL, NULL, NULL, to, CMS_BINARY) == 1);
    require(BIO_get_mem_data(to, &opened) == length && opened[length - 1] == 0x5a);
    BIO_free(to);
    CMS_ContentInfo_free(cms);
}

static void ccm(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, const unsigned char *from,
                unsigned char *to, unsigned char *tag, int seal)
{
    int len = 0;
    require(EVP_CipherInit_ex(ctx, cipher, NULL, NULL, NULL, seal) == 1);
    require(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, NONCE, NULL) == 1);
    require(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, seal ? NULL : tag) == 1);
    require(EVP_CipherInit_ex(ctx, NULL, NULL, ccm_key, nonce, seal) == 1);
    require(EVP_CipherUpdate(ctx, NULL, &len, NULL, length) == 1);
    require(EVP_CipherUpdate(ctx, to, &len, from, length) == 1 && len == length);
    if (seal)
        require(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, tag) == 1);
}

int main(int argc, char **argv)
{
    char line[16];
    unsigned char *der, tag[TAG];

    if (argc != 3 || (length = atoi(argv[1])) < 1) {
        fputs("usage: openssl_cms OCTETS ITERATIONS\n", stderr);
        return 2;
    }
    long iterations = strtol(argv[2], NULL, 10);
    memset(kek, 7, sizeof kek);
    memset(ccm_key, 9, sizeof ccm_key);
    content = malloc((size_t) length);
    out = malloc((size_t) length);
    require(content != NULL && out != NULL);
    memset(content, 0x5a, (size_t) length);

    /* Fetched once, as a program in a hurry does. */
    EVP_CIPHER *gcm_256 = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    EVP_CIPHER *ccm_128 = EVP_CIPHER_fetch(NULL, "AES-128-CCM", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    require(gcm_256 != NULL && ccm_128 != NULL && ctx != NULL);
    int der_length = encrypt(gcm_256, &der);
    unsigned char *sealed = malloc((size_t) length);
    require(sealed != NULL);
    ccm(ctx, ccm_128, content, sealed, tag, 1);
    ccm(ctx, ccm_128, sealed, out, tag, 0);
    require(memcmp(out, content, (size_t) length) == 0);

    while (fgets(line, sizeof line, stdin) != NULL) {
        double begin = now();
        for (long i = 0; i < iterations; i++) {
            if (strcmp(line, "encrypt\n") == 0) {
                unsigned char *octets;
                encrypt(gcm_256, &octets);
                OPENSSL_free(octets);
            } else if (strcmp(line, "decrypt\n") == 0) {
                decrypt(der, der_length);
            } else if (strcmp(line, "ccm\n") == 0) {
                ccm(ctx, ccm_128, content, sealed, tag, 1);
            } else {
                ccm(ctx, ccm_128, sealed, out, tag, 0);
            }
        }
        printf("%.2f\n", (now() - begin) / (double) iterations);
        fflush(stdout);
    }
    return 0;
}
