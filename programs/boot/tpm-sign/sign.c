/* SPDX-License-Identifier: MIT */
#include "programs/boot/tpm-sign/sign.h"

#include <openssl/ecdsa.h>
#include <string.h>
#include <tss2/tss2_sys.h>

enum { TRIES = 3, PCRS_PER_READ = 8 };

/* Context of tpm2-tss, and the key while it is loaded. */
struct session {
	struct channel *channel;
	TSS2_SYS_CONTEXT *sys;
	TPM2_HANDLE key;
	bool has_key;
};

/* The empty password: access control is by the permissions of the device. */
static const TSS2L_SYS_AUTH_COMMAND no_password = {
	.count = 1,
	.auths = {{.sessionHandle = TPM2_RS_PW}},
};

static int fail_command(const struct session *s, const char *command,
			TSS2_RC rc, struct mkv_error *err)
{
	if (s->channel->timed_out)
		return mkv_fail(err, MKV_HOST_CANNOT, ETIMEDOUT,
				"the TPM doesn't answer (%s)", command);
	return mkv_fail(err, MKV_HOST_CANNOT, EIO,
			"the TPM refuses %s (code 0x%x)", command,
			(unsigned)rc);
}

static void session_done(struct session *s)
{
	if (s->has_key)
		(void)Tss2_Sys_FlushContext(s->sys, s->key);
	if (s->sys)
		Tss2_Sys_Finalize(s->sys);
	free(s->sys);
}
#define auto_session __attribute__((cleanup(session_done)))

static int session_start(struct channel *channel, struct session *ret,
			 struct mkv_error *err)
{
	TSS2_ABI_VERSION abi = TSS2_ABI_VERSION_CURRENT;
	size_t size = Tss2_Sys_GetContextSize(0);
	ret->channel = channel;
	ret->sys = calloc(1, size);
	if (!ret->sys)
		return mkv_oom(err);
	TSS2_RC rc = Tss2_Sys_Initialize(ret->sys, size,
					 (TSS2_TCTI_CONTEXT *)channel, &abi);
	return rc == TSS2_RC_SUCCESS ? 0
				     : fail_command(ret, "tpm2-tss", rc, err);
}

/* Template of the key, see docs/ATTESTATIONS.md. The label in `unique`
 * separates this key from keys that other programs derive with an equal
 * template. */
static void fill_key_template(TPM2B_PUBLIC *ret)
{
	static const char label[] = "mkvbench receipt key 1";
	*ret = (TPM2B_PUBLIC){0};
	TPMT_PUBLIC *public = &ret->publicArea;
	public->type = TPM2_ALG_ECC;
	public->nameAlg = TPM2_ALG_SHA256;
	public->objectAttributes =
		TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
		TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
		TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED |
		TPMA_OBJECT_SIGN_ENCRYPT;
	TPMS_ECC_PARMS *parms = &public->parameters.eccDetail;
	parms->symmetric.algorithm = TPM2_ALG_NULL;
	parms->scheme.scheme = TPM2_ALG_ECDSA;
	parms->scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
	parms->curveID = TPM2_ECC_NIST_P256;
	parms->kdf.scheme = TPM2_ALG_NULL;
	public->unique.ecc.x.size = 32;
	memcpy(public->unique.ecc.x.buffer, label, sizeof(label) - 1);
	public->unique.ecc.y.size = 32;
}

/* Pads a number to 32 bytes: some TPMs omit leading zeros. */
static bool pad_to_32_bytes(const TPM2B_ECC_PARAMETER *from,
			    uint8_t ret[static 32])
{
	if (from->size == 0 || from->size > 32)
		return false;
	memset(ret, 0, 32);
	memcpy(ret + 32 - from->size, from->buffer, from->size);
	return true;
}

static int load_key(struct session *s, struct mkv_tpm_key *ret,
		    struct mkv_error *err)
{
	TPM2B_SENSITIVE_CREATE sensitive = {0};
	TPM2B_PUBLIC in, out = {0};
	TPM2B_DATA outside = {0};
	TPML_PCR_SELECTION pcrs = {0};
	TPM2B_CREATION_DATA data = {0};
	TPM2B_DIGEST hash = {0};
	TPMT_TK_CREATION ticket = {0};
	TPM2B_NAME name = {0};
	TSS2L_SYS_AUTH_RESPONSE auths = {0};
	uint8_t x[32], y[32];
	fill_key_template(&in);
	TSS2_RC rc = Tss2_Sys_CreatePrimary(
		s->sys, TPM2_RH_ENDORSEMENT, &no_password, &sensitive, &in,
		&outside, &pcrs, &s->key, &out, &data, &hash, &ticket, &name,
		&auths);
	if (rc != TSS2_RC_SUCCESS)
		return fail_command(s, "TPM2_CreatePrimary", rc, err);
	s->has_key = true;
	if (!pad_to_32_bytes(&out.publicArea.unique.ecc.x, x) ||
	    !pad_to_32_bytes(&out.publicArea.unique.ecc.y, y))
		return fail_command(s, "TPM2_CreatePrimary", 0, err);
	return mkv_tpm_key_init(x, y, ret, err);
}

static void select_pcrs(unsigned first, unsigned count, TPML_PCR_SELECTION *ret)
{
	*ret = (TPML_PCR_SELECTION){.count = 1};
	ret->pcrSelections[0].hash = TPM2_ALG_SHA256;
	ret->pcrSelections[0].sizeofSelect = 3;
	for (unsigned i = first; i < first + count; i++)
		ret->pcrSelections[0].pcrSelect[i / 8] |= (BYTE)(1 << (i % 8));
}

static int read_pcrs(struct session *s, struct mkv_sha256 *ret,
		     struct mkv_error *err)
{
	for (unsigned at = 0; at < MKV_QUOTE_PCRS; at += PCRS_PER_READ) {
		TPML_PCR_SELECTION in, out = {0};
		TPML_DIGEST values = {0};
		UINT32 counter;
		select_pcrs(at, PCRS_PER_READ, &in);
		TSS2_RC rc = Tss2_Sys_PCR_Read(s->sys, NULL, &in, &counter,
					       &out, &values, NULL);
		if (rc != TSS2_RC_SUCCESS)
			return fail_command(s, "TPM2_PCR_Read", rc, err);
		if (values.count != PCRS_PER_READ)
			return mkv_fail(err, MKV_HOST_CANNOT, ENOTSUP,
					"the TPM has no SHA-256 bank of PCRs");
		for (unsigned i = 0; i < PCRS_PER_READ; i++)
			memcpy(ret[at + i].bytes, values.digests[i].buffer,
			       MKV_SHA256_SIZE);
	}
	return 0;
}

/* Encodes ECDSA-Sig-Value (RFC 3279, 2.2.3) in DER. */
static int encode_signature(const TPMS_SIGNATURE_ECC *from,
			    struct mkv_quote *ret, struct mkv_error *err)
{
	ECDSA_SIG *signature = ECDSA_SIG_new();
	BIGNUM *r =
		BN_bin2bn(from->signatureR.buffer, from->signatureR.size, NULL);
	BIGNUM *s =
		BN_bin2bn(from->signatureS.buffer, from->signatureS.size, NULL);
	uint8_t *to = ret->signature;
	int size = 0;
	if (signature && r && s && ECDSA_SIG_set0(signature, r, s) == 1) {
		r = s = NULL;
		size = i2d_ECDSA_SIG(signature, NULL);
	}
	if (size > 0 && size <= (int)sizeof(ret->signature))
		size = i2d_ECDSA_SIG(signature, &to);
	else
		size = 0;
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(signature);
	ret->signature_size = (size_t)size;
	return size ? 0
		    : mkv_fail(
			      err, MKV_FAILED, EIO,
			      "encode the TPM's signature in DER: it is not valid");
}

static int quote_once(struct session *s, const struct mkv_sha256 *receipt,
		      struct mkv_quote *ret, struct mkv_error *err)
{
	TPM2B_DATA extra = {.size = MKV_SHA256_SIZE};
	TPMT_SIG_SCHEME scheme = {.scheme = TPM2_ALG_NULL};
	TPML_PCR_SELECTION pcrs;
	TPM2B_ATTEST quoted = {0};
	TPMT_SIGNATURE signature = {0};
	TSS2L_SYS_AUTH_RESPONSE auths = {0};
	memcpy(extra.buffer, receipt->bytes, MKV_SHA256_SIZE);
	select_pcrs(0, MKV_QUOTE_PCRS, &pcrs);
	int result = read_pcrs(s, ret->pcrs, err);
	if (result < 0)
		return result;
	TSS2_RC rc =
		Tss2_Sys_Quote(s->sys, s->key, &no_password, &extra, &scheme,
			       &pcrs, &quoted, &signature, &auths);
	if (rc != TSS2_RC_SUCCESS)
		return fail_command(s, "TPM2_Quote", rc, err);
	if (quoted.size > sizeof(ret->bytes) ||
	    signature.sigAlg != TPM2_ALG_ECDSA)
		return fail_command(s, "TPM2_Quote with ECDSA", 0, err);
	memcpy(ret->bytes, quoted.attestationData, quoted.size);
	ret->size = quoted.size;
	return encode_signature(&signature.signature.ecdsa, ret, err);
}

int sign_key(struct channel *channel, struct mkv_tpm_key *ret,
	     struct mkv_error *err)
{
	auto_session struct session s = {0};
	int rc = session_start(channel, &s, err);
	return rc < 0 ? rc : load_key(&s, ret, err);
}

int sign_quote(struct channel *channel, const struct mkv_sha256 *receipt,
	       struct mkv_quote *ret, struct mkv_error *err)
{
	auto_session struct session s = {0};
	struct mkv_quote quote = {0};
	int rc = session_start(channel, &s, err);
	if (rc < 0)
		return rc;
	rc = load_key(&s, &quote.key, err);
	if (rc < 0)
		return rc;
	/* A PCR may be extended after it was read and before the quote: then
	 * the quote does not verify, and both commands are repeated. */
	for (int tries = 1;; tries++) {
		rc = quote_once(&s, receipt, &quote, err);
		if (rc < 0)
			return rc;
		rc = mkv_attest_parse(quote.bytes, quote.size, &quote.attest,
				      err);
		if (rc < 0)
			return rc;
		rc = mkv_quote_verify(&quote, receipt, err);
		if (rc < 0 && tries < TRIES)
			continue;
		if (rc < 0)
			return rc;
		*ret = quote;
		return 0;
	}
}
