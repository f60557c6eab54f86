import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { CheckpointStorage } from '../checkpoint/storage.ts';
import { describeError } from '../errors/describe.ts';
import { isMillraceError, MillraceError } from '../errors/millraceError.ts';
import { connectS3, type S3Connection } from './s3Client.ts';
import { retrying, statusOf } from './s3Retry.ts';

/** Keys of an object store, as the AWS SDK knows them. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Where checkpoints are in an object store, and how it is reached. */
export interface S3Options {
  readonly bucket: string;
  /** What the names of all objects begin with, such as `jobs/payments`. Default: nothing. */
  readonly prefix?: string;
  /** The address of a store that is not Amazon's, such as `http://localhost:9000`. Default: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, else Amazon's. */
  readonly endpoint?: string;
  /** Default: where the AWS command finds it, and `us-east-1` for other endpoints. */
  readonly region?: string;
  /** Default: where the AWS command finds them: environment, profile, the role of the machine or container. */
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>);
  /** Whether the bucket stands in the path of a request instead of its host's name. Default: with other endpoints. */
  readonly pathStyle?: boolean;
  /** How often a request is made that fails for a reason that may pass, in all. Default 6, over about 5 seconds. */
  readonly attempts?: number;
}

/** The header that says which conditional write made an object. */
const WRITER = 'millrace-writer';

/**
 * Checkpoints in an object store that speaks the protocol of S3: Amazon's, MinIO, Ceph, Cloudflare R2 and others. It has to be strongly
 * consistent and to honour conditional writes (`If-None-Match`, `If-Match`), by which one process at a time owns the location: that is
 * tried out before the first. Needs the optional package `@aws-sdk/client-s3`.
 *
 * @throws MillraceError `config/invalid` for options that cannot be. Later: `checkpoint/storage` naming the object; `package/missing`.
 * @example
 * const storage = s3({ bucket: 'checkpoints', prefix: 'payments', region: 'eu-central-1' });
 * console.log(storage.location); // s3://checkpoints/payments
 */
export function s3(options: S3Options): CheckpointStorage {
  const { bucket, prefix = '', attempts = 6 } = options;
  if (!/^[\w.-]+$/.test(bucket))
    throw new MillraceError('config/invalid', `"${bucket}" is no name of a bucket.`, {
      remedy: 'Give its name alone, without s3:// and path.',
    });
  if (!Number.isSafeInteger(attempts) || attempts < 1)
    throw new MillraceError('config/invalid', `attempts is ${attempts}.`, { remedy: 'Give a whole number of at least 1.' });
  return new S3Storage(bucket, prefix.replaceAll(/^\/+|\/+$/g, ''), attempts, () => connectS3(options));
}

class S3Storage implements CheckpointStorage {
  readonly location: string;
  private readonly bucket: string;
  private readonly prefix: string;
  private readonly attempts: number;
  private readonly open: () => Promise<S3Connection>;
  private connection: Promise<S3Connection> | undefined;
  private conditions: Promise<void> | undefined;

  constructor(bucket: string, prefix: string, attempts: number, open: () => Promise<S3Connection>) {
    this.bucket = bucket;
    this.prefix = prefix === '' ? '' : `${prefix}/`;
    this.location = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
    this.attempts = attempts;
    this.open = open;
  }

  async write(name: string, parts: readonly Uint8Array[]): Promise<void> {
    const ContentLength = parts.reduce((sum, { length }) => sum + length, 0);
    await this.attempt(name, ({ sdk, client }) =>
      // The parts are sent one after the other: a copy of all of them in one piece is not needed.
      client.send(new sdk.PutObjectCommand({ ...this.address(name), Body: Readable.from(parts, { objectMode: false }), ContentLength })),
    );
  }

  async read(name: string): Promise<Uint8Array | undefined> {
    return (await this.readToken(name))?.content;
  }

  async list(prefix: string): Promise<readonly string[]> {
    const names: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.attempt(prefix, ({ sdk, client }) =>
        client.send(new sdk.ListObjectsV2Command({ Bucket: this.bucket, Prefix: this.prefix + prefix, ContinuationToken: token })),
      );
      for (const { Key } of page.Contents ?? []) names.push(Key!.slice(this.prefix.length));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return names.sort();
  }

  async remove(name: string): Promise<void> {
    await this.attempt(name, ({ sdk, client }) => client.send(new sdk.DeleteObjectCommand(this.address(name))));
  }

  async writeIf(name: string, content: Uint8Array, expected: string | undefined): Promise<string | undefined> {
    this.conditions ??= this.tryConditions();
    try {
      await this.conditions;
    } catch (error) {
      this.conditions = undefined;
      throw error;
    }
    return this.put(name, content, expected);
  }

  readToken(name: string): Promise<{ readonly content: Uint8Array; readonly token: string } | undefined> {
    return this.attempt(name, async ({ sdk, client }) => {
      const found = await client.send(new sdk.GetObjectCommand(this.address(name))).catch(absent);
      // What breaks off in the middle fails here, and begins anew.
      return found && { content: await found.Body!.transformToByteArray(), token: found.ETag! };
    });
  }

  /** A conditional write. An answer that was lost may have been that it succeeded: then the object carries this write's name. */
  private async put(name: string, content: Uint8Array, expected: string | undefined): Promise<string | undefined> {
    const writer = randomUUID();
    const condition = expected === undefined ? { IfNoneMatch: '*' } : { IfMatch: expected };
    return this.attempt(name, async ({ sdk, client }) => {
      try {
        const put = new sdk.PutObjectCommand({ ...this.address(name), ...condition, Body: content, Metadata: { [WRITER]: writer } });
        return (await client.send(put)).ETag!;
      } catch (error) {
        // What is to be replaced is gone.
        if (statusOf(error) !== 412) return absent(error);
      }
      const found = await client.send(new sdk.HeadObjectCommand(this.address(name))).catch(absent);
      return found?.Metadata?.[WRITER] === writer ? found.ETag! : undefined;
    });
  }

  /** A store that ignores conditions would let two processes own the location. */
  private async tryConditions(): Promise<void> {
    const name = `probe-${randomUUID()}`;
    const empty = new Uint8Array();
    const token = await this.put(name, empty, undefined);
    const refused = [await this.put(name, empty, undefined), await this.put(name, empty, '"00000000000000000000000000000000"')];
    await this.remove(name);
    if (token !== undefined && refused.every((other) => other === undefined)) return;
    throw new MillraceError('checkpoint/storage', `The store of ${this.location} ignores conditional writes.`, {
      remedy: 'Two processes could own the location at once: use a store that honours If-None-Match and If-Match.',
    });
  }

  private address(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.bucket, Key: this.prefix + name };
  }

  private async attempt<R>(name: string, run: (connection: S3Connection) => Promise<R>): Promise<R> {
    try {
      this.connection ??= this.open();
      const connection = await this.connection;
      return await retrying(this.attempts, () => run(connection));
    } catch (error) {
      if (isMillraceError(error)) throw error;
      throw new MillraceError('checkpoint/storage', `s3://${this.bucket}/${this.prefix}${name} cannot be used: ${problemOf(error)}.`, {
        remedy: remedyFor(error),
        cause: error,
      });
    }
  }
}

function absent(error: unknown): undefined {
  const { name } = error as Error;
  // A bucket that is not there has the same status.
  if (statusOf(error) === 404 && name !== 'NoSuchBucket') return undefined;
  throw error;
}

function problemOf(error: unknown): string {
  const { name } = error as Error;
  const text = describeError(error).replace(/\.$/, '');
  const status = statusOf(error);
  return `${text === name || text.includes(name) ? text : `${name}: ${text}`}${status === undefined ? '' : ` (HTTP ${status})`}`;
}

function remedyFor(error: unknown): string {
  const { name } = error as Error;
  if (/Credential|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken/.test(name))
    return 'Look at the credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role.';
  if (name === 'NoSuchBucket') return 'Make the bucket first, and look at its name and the endpoint.';
  if (/Redirect|IllegalLocation|AuthorizationHeaderMalformed/.test(name)) return 'Give the region of the bucket: region, or AWS_REGION.';
  if (statusOf(error) === 403) return 'Allow s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on it.';
  return 'Look at the endpoint, the region and the network. Earlier checkpoints are untouched.';
}
