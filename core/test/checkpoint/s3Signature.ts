import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** A request as far as its signature covers it. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/**
 * Checks AWS Signature Version 4 as a store does, from the published description: gives what is wrong, `undefined` if nothing is.
 * Whether the body has the hash that was signed is for the caller to see.
 */
export function signatureProblem(request: SignedRequest, secrets: ReadonlyMap<string, string>, region: string): string | undefined {
  const { headers } = request;
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([\da-f]{64})$/.exec(
      headers.authorization ?? '',
    );
  if (match === null) return 'AccessDenied';
  const [, accessKey, day, signedRegion, signedHeaders, signature] = match;
  const secret = secrets.get(accessKey!);
  if (secret === undefined) return 'InvalidAccessKeyId';
  if (signedRegion !== region) return 'AuthorizationHeaderMalformed';
  const names = signedHeaders!.split(';');
  const unsigned = Object.keys(headers).filter((name) => (name === 'host' || name.startsWith('x-amz-')) && !names.includes(name));
  if (unsigned.length > 0) return `AccessDenied: ${unsigned.join(', ')} is not signed`;
  const date = headers['x-amz-date'] as string;
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical(request, names))].join('\n');
  const key = [region, 's3', 'aws4_request'].reduce((before, part) => hmac(before, part), hmac(`AWS4${secret}`, day!));
  return hmac(key, text).toString('hex') === signature ? undefined : 'SignatureDoesNotMatch';
}

function canonical({ method, url, headers }: SignedRequest, names: readonly string[]): string {
  const [path, query = ''] = url.split('?');
  const parameters = query === '' ? [] : query.split('&').map((part) => (part.includes('=') ? part : `${part}=`));
  const signed = names.map((name) => `${name}:${String(headers[name]).trim().replaceAll(/ +/g, ' ')}\n`).join('');
  return [method, path, parameters.sort().join('&'), signed, names.join(';'), headers['x-amz-content-sha256']].join('\n');
}
