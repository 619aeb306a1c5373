/* CPU time of libjpeg-turbo's entropy decoding alone: jpeg_read_coefficients decodes all coefficients without any transform.
 *
 *   entropy ITERATIONS FILE...     cc -O2 -o entropy entropy.c -ljpeg
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jpeglib.h>

static double cpu(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void read_coefficients(const char *path) {
    struct jpeg_decompress_struct decoder;
    struct jpeg_error_mgr errors;
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    unsigned char *bytes = malloc(size);
    if (bytes == NULL || fread(bytes, 1, size, file) != (size_t)size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    decoder.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&decoder);
    jpeg_mem_src(&decoder, bytes, size);
    jpeg_read_header(&decoder, TRUE);
    jpeg_read_coefficients(&decoder);
    jpeg_finish_decompress(&decoder);
    jpeg_destroy_decompress(&decoder);
    free(bytes);
}

int main(int count, char **arguments) {
    if (count < 3) {
        fputs("usage: entropy ITERATIONS FILE...\n", stderr);
        return 2;
    }
    int iterations = atoi(arguments[1]);
    for (int index = 2; index < count; index++) {
        const char *path = arguments[index];
        for (int warm = 0; warm < 2; warm++) read_coefficients(path);
        double start = cpu();
        for (int round = 0; round < iterations; round++) read_coefficients(path);
        const char *name = strrchr(path, '/');
        name = name == NULL ? path : name + 1;
        const char *dot = strrchr(name, '.');
        int length = dot == NULL ? (int)strlen(name) : (int)(dot - name);
        printf("{\"file\": \"%.*s\", \"ms\": %f}\n", length, name, (cpu() - start) / iterations);
    }
    return 0;
}
