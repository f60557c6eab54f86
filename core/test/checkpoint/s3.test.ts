import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { s3 } from '../../src/node/s3.ts';
import { CREDENTIALS, S3Server } from './s3Server.ts';
import { signatureProblem } from './s3Signature.ts';

let server: S3Server;
beforeEach(async () => void (server = await S3Server.start()));
afterEach(() => server.stop());

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array | undefined): string | undefined =>
  content === undefined ? undefined : new TextDecoder().decode(content);

/** Each request has this fate so many times, then is served. */
function firstTimes(times: number, fate: ReturnType<S3Server['fate']>): (request: string) => ReturnType<S3Server['fate']> {
  const seen = new Map<string, number>();
  return (request) => {
    const count = (seen.get(request) ?? 0) + 1;
    seen.set(request, count);
    return count <= times ? fate : 'serve';
  };
}

test('the server of these tests verifies signatures as the documentation of S3 computes them', () => {
  // "Authenticating Requests: Using the Authorization Header", first example.
  const request = {
    method: 'GET',
    url: '/test.txt',
    headers: {
      host: 'examplebucket.s3.amazonaws.com',
      range: 'bytes=0-9',
      'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      'x-amz-date': '20130524T000000Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    },
  };
  const secrets = new Map([['AKIAIOSFODNN7EXAMPLE', 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY']]);
  expect(signatureProblem(request, secrets, 'us-east-1')).toBeUndefined();
  expect(signatureProblem({ ...request, url: '/test.tx' }, secrets, 'us-east-1')).toBe('SignatureDoesNotMatch');
  expect(signatureProblem({ ...request, headers: { ...request.headers, 'x-amz-acl': 'private' } }, secrets, 'us-east-1')).toMatch(
    /x-amz-acl/,
  );
});

describe('an object store', () => {
  test('gives long lists page by page', async () => {
    server.pageSize = 3;
    const storage = server.storage();
    const names = Array.from({ length: 10 }, (_, i) => `state/${i} ü&+.state`);
    for (const name of names) await storage.write(name, [bytes(name)]);
    await storage.write('other', [bytes('x')]);
    expect(await storage.list('state/')).toEqual(names);
    expect(text(await storage.read(names[7]!))).toBe(names[7]);
    expect(server.log.filter((request) => request.startsWith('GET ?')).length).toBe(4);
  });

  test('takes large objects in parts', async () => {
    const storage = server.storage();
    const part = new Uint8Array(3 * 2 ** 20).map((_, i) => i * 31);
    await storage.write('large', [part, part, bytes('end')]);
    const read = (await storage.read('large'))!;
    expect(read.length).toBe(6 * 2 ** 20 + 3);
    expect(Buffer.compare(read.subarray(2 ** 20 * 3, 2 ** 20 * 6), part)).toBe(0);
  });

  test('with an empty object, and without a prefix', async () => {
    const storage = server.storage({ prefix: '' });
    await storage.write('empty', []);
    expect([...server.objects.keys()]).toEqual(['empty']);
    expect(await storage.read('empty')).toEqual(new Uint8Array());
    expect(storage.location).toBe('s3://checkpoints');
  });

  test.each<[string, ReturnType<S3Server['fate']>]>([
    ['503', { status: 503, code: 'SlowDown' }],
    ['500', { status: 500, code: 'InternalError' }],
    ['a broken connection', 'break'],
    ['a lost answer', 'breakAfter'],
    ['an answer that breaks off', 'breakWithin'],
  ])('%s is tried again', async (_name, fate) => {
    const storage = server.storage();
    server.fate = firstTimes(1, fate);
    await storage.write('a', [bytes('a')]);
    expect(text(await storage.read('a'))).toBe('a');
    expect(await storage.list('')).toEqual(['a']);
    await storage.remove('a');
    expect(await storage.read('a')).toBeUndefined();
  });

  test('a conditional write whose answer was lost has succeeded; one that somebody else won has not', async () => {
    const storage = server.storage({ prefix: 'lease' });
    await storage.writeIf('a', bytes('a'), undefined);
    server.fate = firstTimes(1, 'breakAfter');
    const token = await storage.writeIf('b', bytes('b'), undefined);
    expect(token).toBe((await storage.readToken('b'))!.token);
    const next = await storage.writeIf('b', bytes('next'), token);
    expect(next).toBeDefined();
    server.fate = (request) => {
      // Somebody else is quicker than the second attempt.
      if (request !== 'PUT lease/b') return 'serve';
      server.objects.set('lease/b', { content: Buffer.from('another'), etag: '"1"', metadata: {} });
      return 'break';
    };
    const losing = storage.writeIf('b', bytes('mine'), next);
    await vi.waitFor(() => expect(server.objects.get('lease/b')?.etag).toBe('"1"'));
    server.fate = () => 'serve';
    expect(await losing).toBeUndefined();
  });

  test('a store that ignores conditions is refused before the first conditional write', async () => {
    server.ignoresConditions = true;
    const storage = server.storage();
    await expect(storage.writeIf('lease', bytes('x'), undefined)).rejects.toMatchObject({ code: 'checkpoint/storage' });
    await expect(storage.writeIf('lease', bytes('x'), undefined)).rejects.toThrow(/ignores conditional writes/);
    expect(server.objects.size).toBe(0);
    server.ignoresConditions = false;
    expect(await storage.writeIf('lease', bytes('x'), undefined)).toBeDefined();
    expect([...server.objects.keys()].filter((name) => name.includes('probe'))).toEqual([]);
  });

  test.each([
    ['wrong keys', { credentials: { ...CREDENTIALS, secretAccessKey: 'x' } }, /SignatureDoesNotMatch.*AWS_SECRET_ACCESS_KEY/],
    ['unknown keys', { credentials: { ...CREDENTIALS, accessKeyId: 'x' } }, /InvalidAccessKeyId.*AWS_ACCESS_KEY_ID/],
    ['no such bucket', { bucket: 'other' }, /NoSuchBucket.*Make the bucket/],
    ['another region', { region: 'us-west-2' }, /AuthorizationHeaderMalformed.*region/],
    ['nobody there', { endpoint: 'http://127.0.0.1:9', attempts: 1 }, /ECONNREFUSED.*endpoint/],
  ])('%s: an error that says so, naming the object', async (_name, options, message) => {
    const storage = server.storage({ prefix: 'jobs', ...options });
    await expect(storage.read('a')).rejects.toMatchObject({ code: 'checkpoint/storage' });
    await expect(storage.read('a')).rejects.toThrow(message);
    await expect(storage.writeIf('a', bytes('a'), undefined)).rejects.toThrow(message);
    await expect(storage.write('a', [bytes('a')])).rejects.toThrow(/s3:\/\/\w+\/jobs\/a cannot be used/);
  });

  test('what lasts is given up after so many attempts', async () => {
    server.fate = () => ({ status: 503, code: 'ServiceUnavailable' });
    await expect(server.storage({ attempts: 3 }).read('a')).rejects.toThrow(/HTTP 503/);
    expect(server.log.length).toBe(3);
  });

  test('options that cannot be are refused', () => {
    expect(() => s3({ bucket: 's3://checkpoints' })).toThrow(expect.objectContaining({ code: 'config/invalid' }));
    expect(() => s3({ bucket: 'b', attempts: 0 })).toThrow(expect.objectContaining({ code: 'config/invalid' }));
  });

  test('without the package the error names it', async () => {
    const module = fileURLToPath(new URL('../../src/node/s3.ts', import.meta.url));
    const script = `
      import { register } from 'node:module';
      register('data:text/javascript,' + encodeURIComponent(
        'export async function resolve(specifier, context, next) {' +
        '  if (specifier.startsWith("@aws-sdk/")) throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });' +
        '  return next(specifier, context); }'));
      const { s3 } = await import(${JSON.stringify(module)});
      await s3({ bucket: 'b' }).read('a').catch((error) => console.log(error.message));`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
    let output = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    await new Promise((resolve) => child.on('close', resolve));
    expect(output).toMatch(/^\[package\/missing].*npm install @aws-sdk\/client-s3/);
  });
});
