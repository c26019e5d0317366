// SPDX-License-Identifier: Apache-2.0
// Secrets at rest: AES-256-GCM under a key derived from the master key, bound to a purpose, and HMAC-SHA-256 for look-ups. The master key
// stands in a file that only its owner may read. OpenSSL is seen here (and in lib/crypto.c and auth/) alone.
//
// A look-up is on the path of every call, so the HMAC's two pads are hashed once at start and copied: two compressions a look-up, no
// allocation.
#define OPENSSL_API_COMPAT 0x10101000L // the plain SHA256_ functions: EVP would allocate on every look-up
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NONCE_BYTES = 12, TAG_BYTES = 16, SEAL_VERSION = 1, SHA_BLOCK = 64 };

struct hmac_state {
    SHA256_CTX inner, outer;
};

struct seal {
    uint8_t lock_key[SEAL_KEY_BYTES];
    struct hmac_state lookup;
};

static void hmac_begin(struct hmac_state *state, const uint8_t *key, size_t key_bytes)
{
    uint8_t pad[SHA_BLOCK];
    assert(key_bytes <= SHA_BLOCK);
    for (int side = 0; side < 2; side++) {
        memset(pad, side ? 0x5c : 0x36, sizeof pad);
        for (size_t i = 0; i < key_bytes; i++) {
            pad[i] ^= key[i];
        }
        SHA256_CTX *hash = side ? &state->outer : &state->inner;
        SHA256_Init(hash);
        SHA256_Update(hash, pad, sizeof pad);
    }
    OPENSSL_cleanse(pad, sizeof pad);
}

static void hmac_finish(const struct hmac_state *state, struct view text, uint8_t ret_mac[SEAL_HMAC_BYTES])
{
    SHA256_CTX hash = state->inner;
    SHA256_Update(&hash, text.data, text.len);
    SHA256_Final(ret_mac, &hash);
    hash = state->outer;
    SHA256_Update(&hash, ret_mac, SEAL_HMAC_BYTES);
    SHA256_Final(ret_mac, &hash);
}

static struct seal *derive(const uint8_t master[SEAL_KEY_BYTES])
{
    struct seal *seal = calloc(1, sizeof *seal);
    if (!seal) {
        return NULL;
    }
    struct hmac_state state;
    uint8_t key[SEAL_KEY_BYTES];
    hmac_begin(&state, master, SEAL_KEY_BYTES);
    hmac_finish(&state, VIEW("sluice seal 1"), seal->lock_key);
    hmac_finish(&state, VIEW("sluice look-up 1"), key);
    hmac_begin(&seal->lookup, key, sizeof key);
    OPENSSL_cleanse(&state, sizeof state);
    OPENSSL_cleanse(key, sizeof key);
    return seal;
}

// Makes the file with 64 hexadecimal digits; another process may win the race, which is as good.
static bool make_key_file(const char *path, struct fail *fail)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno == EEXIST || fail_set(fail, FAIL_IO, "%s: the master key cannot be made: %s", path, strerror(errno));
    }
    char line[2 * SEAL_KEY_BYTES + 1];
    random_hex(line, 2 * SEAL_KEY_BYTES);
    line[2 * SEAL_KEY_BYTES] = '\n';
    bool ok = write(fd, line, sizeof line) == (ssize_t)sizeof line && fsync(fd) == 0;
    OPENSSL_cleanse(line, sizeof line);
    close(fd);
    if (!ok) {
        unlink(path);
        return fail_set(fail, FAIL_IO, "%s: the master key cannot be written: %s", path, strerror(errno));
    }
    return true;
}

static bool read_key_file(const char *path, uint8_t ret_master[SEAL_KEY_BYTES], struct fail *fail)
{
    char text[2 * SEAL_KEY_BYTES + 2];
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        fail_set(fail, FAIL_IO, "%s: the master key cannot be read: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    ssize_t got = read(fd, text, sizeof text);
    close(fd);
    if (info.st_mode & 077) {
        return fail_set(fail, FAIL_IO, "%s: others may read the master key; run chmod 600 on it", path);
    }
    bool ok = got >= 2 * SEAL_KEY_BYTES && hex_read((struct view){text, 2 * SEAL_KEY_BYTES}, ret_master, SEAL_KEY_BYTES);
    OPENSSL_cleanse(text, sizeof text);
    return ok || fail_set(fail, FAIL_IO, "%s: a master key is %d hexadecimal digits", path, 2 * SEAL_KEY_BYTES);
}

bool seal_open(const char *folder, struct seal **ret_seal, struct fail *fail)
{
    char path[4096];
    const char *named = getenv("SLUICE_MASTER_KEY_FILE");
    if (named && *named) {
        snprintf(path, sizeof path, "%s", named);
    } else {
        snprintf(path, sizeof path, "%s/master.key", folder);
    }
    uint8_t master[SEAL_KEY_BYTES];
    if ((!named || !*named) && access(path, F_OK) != 0 && !make_key_file(path, fail)) {
        return false;
    }
    if (!read_key_file(path, master, fail)) {
        return false;
    }
    struct seal *seal = derive(master);
    OPENSSL_cleanse(master, sizeof master);
    if (!seal) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    *ret_seal = seal;
    return true;
}

struct seal *seal_open_ephemeral(void)
{
    uint8_t master[SEAL_KEY_BYTES];
    random_bytes(master, sizeof master);
    return derive(master);
}

void seal_close(struct seal *seal)
{
    if (seal) {
        OPENSSL_cleanse(seal, sizeof *seal);
        free(seal);
    }
}

// version (1) · nonce (12) · ciphertext · tag (16)
bool seal_lock(const struct seal *seal, struct view purpose, struct view plain, struct buffer *out, struct fail *fail)
{
    char *space = buffer_space(out, plain.len + SEAL_OVERHEAD);
    EVP_CIPHER_CTX *cipher = space ? EVP_CIPHER_CTX_new() : NULL;
    if (!cipher || plain.len > INT32_MAX) {
        EVP_CIPHER_CTX_free(cipher);
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    uint8_t *at = (uint8_t *)space;
    int len = 0, last = 0;
    *at = SEAL_VERSION;
    random_bytes(at + 1, NONCE_BYTES);
    uint8_t *text = at + 1 + NONCE_BYTES;
    bool ok = EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, seal->lock_key, at + 1) == 1 &&
              EVP_EncryptUpdate(cipher, NULL, &len, (const uint8_t *)purpose.data, (int)purpose.len) == 1 &&
              EVP_EncryptUpdate(cipher, text, &len, (const uint8_t *)plain.data, (int)plain.len) == 1 &&
              EVP_EncryptFinal_ex(cipher, text + len, &last) == 1 &&
              EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, text + plain.len) == 1;
    EVP_CIPHER_CTX_free(cipher);
    if (!ok) {
        return fail_set(fail, FAIL_INTERNAL, "a secret could not be sealed");
    }
    out->len += plain.len + SEAL_OVERHEAD;
    return true;
}

bool seal_unlock(const struct seal *seal, struct view purpose, struct view sealed, struct buffer *out, struct fail *fail)
{
    if (sealed.len < SEAL_OVERHEAD || sealed.len > INT32_MAX || sealed.data[0] != SEAL_VERSION) {
        return fail_set(fail, FAIL_INTERNAL, "a sealed secret is damaged");
    }
    size_t plain_len = sealed.len - SEAL_OVERHEAD;
    char *space = buffer_space(out, plain_len + 1);
    EVP_CIPHER_CTX *cipher = space ? EVP_CIPHER_CTX_new() : NULL;
    if (!cipher) {
        return fail_set(fail, FAIL_MEMORY, NULL);
    }
    const uint8_t *at = (const uint8_t *)sealed.data, *text = at + 1 + NONCE_BYTES;
    int len = 0, last = 0;
    bool ok = EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, seal->lock_key, at + 1) == 1 &&
              EVP_DecryptUpdate(cipher, NULL, &len, (const uint8_t *)purpose.data, (int)purpose.len) == 1 &&
              EVP_DecryptUpdate(cipher, (uint8_t *)space, &len, text, (int)plain_len) == 1 &&
              EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, (void *)(text + plain_len)) == 1 &&
              EVP_DecryptFinal_ex(cipher, (uint8_t *)space + len, &last) == 1;
    EVP_CIPHER_CTX_free(cipher);
    if (!ok) {
        return fail_set(fail, FAIL_INTERNAL, "a sealed secret does not open: it was changed, moved, or the master key is another one");
    }
    out->len += plain_len;
    return true;
}

void seal_hmac(const struct seal *seal, struct view text, uint8_t ret_mac[SEAL_HMAC_BYTES])
{
    hmac_finish(&seal->lookup, text, ret_mac);
}

bool seal_equal(const void *a, const void *b, size_t count)
{
    return CRYPTO_memcmp(a, b, count) == 0;
}
