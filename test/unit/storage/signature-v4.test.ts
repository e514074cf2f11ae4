import { expect } from 'chai';
import { parseDate, S3Fault, verifySignature, type SignedRequest } from '../../support/s3-server/signature.ts';

/**
 * The examples of "Signature calculations for the Authorization header" and "Authenticating requests: using query
 * parameters" in the Amazon S3 API reference: the signatures are AWS's own.
 */
const credentials = { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', region: 'us-east-1' };
const now = parseDate('20130524T000000Z');
const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const signed = (method: string, target: string, headers: Record<string, string>, names: string, signature: string): SignedRequest => ({
  method,
  target,
  headers: {
    host: 'examplebucket.s3.amazonaws.com',
    'x-amz-date': '20130524T000000Z',
    'x-amz-content-sha256': emptyHash,
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names},Signature=${signature}`,
  },
});

const examples = [
  signed('GET', '/test.txt', { range: 'bytes=0-9' }, 'host;range;x-amz-content-sha256;x-amz-date', 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'),
  signed('PUT', '/test%24file.text', {
    date: 'Fri, 24 May 2013 00:00:00 GMT',
    'x-amz-storage-class': 'REDUCED_REDUNDANCY',
    'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
  }, 'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class', '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd'),
  signed('GET', '/?lifecycle', {}, 'host;x-amz-content-sha256;x-amz-date', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'),
  signed('GET', '/?max-keys=2&prefix=J', {}, 'host;x-amz-content-sha256;x-amz-date', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'),
];

const presigned: SignedRequest = {
  method: 'GET',
  target: '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  headers: { host: 'examplebucket.s3.amazonaws.com' },
};

const refusal = (request: SignedRequest, nowMs = now): string => {
  try {
    verifySignature(request, credentials, nowMs);
  } catch (error) {
    if (error instanceof S3Fault) return error.code;
    throw error;
  }
  return 'taken';
};

describe('the S3 store for tests verifies Signature V4', () => {
  for (const example of examples) {
    it(`takes AWS's own example ${example.method} ${example.target}`, () => {
      expect(verifySignature(example, credentials, now).presigned).to.equal(false);
    });
    it(`refuses it once anything signed is another: ${example.method} ${example.target}`, () => {
      expect(refusal({ ...example, method: 'DELETE' })).to.equal('SignatureDoesNotMatch');
      expect(refusal({ ...example, target: example.target.replace(/^\//, '/x') })).to.equal('SignatureDoesNotMatch');
      expect(refusal({ ...example, headers: { ...example.headers, host: 'other' } })).to.equal('SignatureDoesNotMatch');
      expect(refusal({ ...example, headers: { ...example.headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } })).to.equal('SignatureDoesNotMatch');
      expect(refusal({ ...example, headers: { ...example.headers, 'x-amz-acl': 'public-read' } })).to.equal('AccessDenied');
      expect(refusal({ ...example, headers: { ...example.headers, 'x-amz-date': undefined } })).to.equal('AccessDenied');
      expect(refusal(example, now + 900_001)).to.equal('RequestTimeTooSkewed');
    });
  }

  it("takes AWS's own presigned example until it expires", () => {
    expect(verifySignature(presigned, credentials, now)).to.deep.equal({ payloadHash: 'UNSIGNED-PAYLOAD', presigned: true });
    expect(verifySignature(presigned, credentials, now + 86_400_000).presigned).to.equal(true);
    expect(refusal(presigned, now + 86_400_001)).to.equal('AccessDenied');
  });
  it('refuses a presigned request that was changed, or carries more than was signed', () => {
    expect(refusal({ ...presigned, target: presigned.target.replace('86400', '86401') })).to.equal('SignatureDoesNotMatch');
    expect(refusal({ ...presigned, target: `${presigned.target}&x=1` })).to.equal('SignatureDoesNotMatch');
    expect(refusal({ ...presigned, headers: { ...presigned.headers, 'x-amz-acl': 'public-read' } })).to.equal('AccessDenied');
    expect(refusal({ ...presigned, method: 'PUT' })).to.equal('SignatureDoesNotMatch');
  });
  it('refuses a request without a signature, another access key, another region', () => {
    expect(refusal({ method: 'GET', target: '/test.txt', headers: { host: 'x' } })).to.equal('AccessDenied');
    expect(refusal({ ...presigned, target: presigned.target.replace('AKIA', 'AKIB') })).to.equal('InvalidAccessKeyId');
    expect(refusal({ ...presigned, target: presigned.target.replace('us-east-1', 'eu-west-1') })).to.equal('AuthorizationHeaderMalformed');
  });
});
