// SPDX-License-Identifier: Apache-2.0
//
// The one file that sees OpenSSL: digests, HMAC and AES-CBC over bytes. Algorithms are fetched once a process, on the loop's own big stack,
// because OpenSSL reads its configuration at first use; after that a call takes nothing from the heap of the run and leaves nothing behind.
// OpenSSL's error queue is cleared here: after a fiber gave way it would be somebody else's.
#include "lib/inside.h"
#include "loop/loop.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>

static EVP_MD *digests[LIB_DIGESTS];
static EVP_CIPHER *aes_128, *aes_256;

// Explicit fetches: the implicit ones of EVP_sha256() look the algorithm up again in each call.
static void fetch_algorithms(void)
{
    static const char *const names[LIB_DIGESTS] = {
        [LIB_MD5] = "MD5", [LIB_SHA1] = "SHA1", [LIB_SHA256] = "SHA256", [LIB_SHA384] = "SHA384", [LIB_SHA512] = "SHA512"};
    for (int i = 0; i < LIB_DIGESTS; i++) {
        digests[i] = EVP_MD_fetch(NULL, names[i], NULL);
    }
    aes_128 = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
    aes_256 = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    ERR_clear_error();
}

static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch_once(void *arg)
{
    (void)arg;
    pthread_once(&fetched, fetch_algorithms);
}

// The flag keeps the ordinary call free of pthread_once and of the hop to the big stack.
static void prepare(void)
{
    static _Atomic bool done;
    if (done) {
        return;
    }
    if (loop_fiber() != NULL) {
        loop_on_thread_stack(fetch_once, NULL);
    } else {
        fetch_once(NULL);
    }
    done = true;
}

bool lib_crypto_digest(enum lib_digest digest, struct view data, unsigned char ret_bytes[LIB_DIGEST_BYTES_MAX], size_t *ret_count)
{
    prepare();
    unsigned count = 0;
    bool ok = digests[digest] != NULL && EVP_Digest(data.data, data.len, ret_bytes, &count, digests[digest], NULL) == 1;
    ERR_clear_error();
    *ret_count = count;
    return ok;
}

bool lib_crypto_hmac(enum lib_digest digest, struct view key, struct view data, unsigned char ret_bytes[LIB_DIGEST_BYTES_MAX],
                     size_t *ret_count)
{
    prepare();
    unsigned count = 0;
    bool ok = digests[digest] != NULL && key.len <= INT32_MAX &&
              HMAC(digests[digest], key.len > 0 ? key.data : "", (int)key.len, (const unsigned char *)data.data, data.len, ret_bytes,
                   &count) != NULL;
    ERR_clear_error();
    *ret_count = count;
    return ok;
}

bool lib_crypto_aes(bool encrypt, const unsigned char *key, size_t key_bytes, const unsigned char iv[LIB_AES_BLOCK], struct view in,
                    struct buffer *out)
{
    prepare();
    const EVP_CIPHER *cipher = key_bytes == 32 ? aes_256 : aes_128;
    EVP_CIPHER_CTX *context = cipher != NULL && in.len < INT32_MAX / 2 ? EVP_CIPHER_CTX_new() : NULL;
    unsigned char *bytes = context != NULL ? (unsigned char *)buffer_space(out, in.len + 2 * LIB_AES_BLOCK) : NULL;
    int count = 0, tail = 0;
    bool ok = bytes != NULL && EVP_CipherInit_ex2(context, cipher, key, iv, encrypt, NULL) == 1 &&
              EVP_CipherUpdate(context, bytes, &count, (const unsigned char *)(in.len > 0 ? in.data : ""), (int)in.len) == 1 &&
              EVP_CipherFinal_ex(context, bytes + count, &tail) == 1;
    EVP_CIPHER_CTX_free(context);
    ERR_clear_error();
    if (ok) {
        out->len = (size_t)(count + tail);
    }
    return ok;
}
