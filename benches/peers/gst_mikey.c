/* GStreamer's MIKEY codec, timed for the benchmark `mikey`, which compiles and runs it.
 *
 *     gst_mikey MESSAGE_IN_HEX ITERATIONS
 *
 * For each line of standard input, `parse` or `write`, it does that ITERATIONS times and prints the
 * nanoseconds that one took. It ends with status 1 where GStreamer does not read the message or does
 * not write the same octets.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gst/gst.h>
#include <gst/sdp/gstmikey.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static GstMIKEYMessage *parse(const guint8 *octets, gsize length)
{
    GstMIKEYMessage *message = gst_mikey_message_new_from_data(octets, length, NULL, NULL);
    if (message == NULL) {
        fputs("GStreamer does not read the message\n", stderr);
        exit(1);
    }
    return message;
}

static GBytes *write_out(GstMIKEYMessage *message)
{
    GBytes *octets = gst_mikey_message_to_bytes(message, NULL, NULL);
    if (octets == NULL) {
        fputs("GStreamer does not write the message\n", stderr);
        exit(1);
    }
    return octets;
}

static void check(GstMIKEYMessage *message, const guint8 *octets, gsize length)
{
    GBytes *expected = g_bytes_new(octets, length);
    GBytes *written = write_out(message);
    if (!g_bytes_equal(expected, written)) {
        fputs("GStreamer writes other octets\n", stderr);
        exit(1);
    }
    g_bytes_unref(written);
    g_bytes_unref(expected);
}

int main(int argc, char **argv)
{
    guint8 octets[1024];
    gsize length = 0;
    char line[16];

    gst_init(NULL, NULL);
    if (argc != 3 || strlen(argv[1]) > 2 * sizeof octets) {
        fputs("usage: gst_mikey MESSAGE_IN_HEX ITERATIONS\n", stderr);
        return 2;
    }
    for (const char *digits = argv[1]; digits[0] != '\0' && digits[1] != '\0'; digits += 2) {
        unsigned int octet;
        if (sscanf(digits, "%2x", &octet) != 1) {
            fputs("not hexadecimal\n", stderr);
            return 2;
        }
        octets[length++] = (guint8) octet;
    }
    long iterations = strtol(argv[2], NULL, 10);
    GstMIKEYMessage *message = parse(octets, length);
    check(message, octets, length);

    while (fgets(line, sizeof line, stdin) != NULL) {
        double begin = now();
        if (strcmp(line, "parse\n") == 0) {
            for (long i = 0; i < iterations; i++)
                gst_mikey_message_unref(parse(octets, length));
        } else {
            for (long i = 0; i < iterations; i++)
                g_bytes_unref(write_out(message));
        }
        printf("%.2f\n", (now() - begin) / (double) iterations);
        fflush(stdout);
    }
    gst_mikey_message_unref(message);
    return 0;
}
