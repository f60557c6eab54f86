import type { S3Client } from '@aws-sdk/client-s3';
import { MillraceError } from '../errors/millraceError.ts';
import type { S3Options } from './s3.ts';

/** The AWS SDK, as far as it is used. */
export type S3Sdk = Pick<
  typeof import('@aws-sdk/client-s3'),
  'DeleteObjectCommand' | 'GetObjectCommand' | 'HeadObjectCommand' | 'ListObjectsV2Command' | 'PutObjectCommand' | 'S3Client'
>;

/** A client and the commands that it can be sent. */
export interface S3Connection {
  readonly sdk: S3Sdk;
  readonly client: S3Client;
}

/** A connection that takes longer to be made is given up, and so is a request on which nothing moves for this long. In ms. */
const CONNECTING = 5_000;
const SILENCE = 15_000;

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/**
 * Loads the client and sets it up.
 *
 * @throws MillraceError `package/missing`
 */
export async function connectS3({ endpoint, region, credentials, pathStyle }: S3Options): Promise<S3Connection> {
  const sdk = await loadSdk();
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, AWS_REGION, AWS_DEFAULT_REGION } = process.env;
  const isOther = (endpoint ?? AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL) !== undefined;
  // The SDK finds a region in the files of the AWS command too; a store that is not Amazon's mostly has none to find.
  const chosen = region ?? AWS_REGION ?? AWS_DEFAULT_REGION ?? (isOther ? 'us-east-1' : undefined);
  const client = new sdk.S3Client({
    ...(endpoint !== undefined && { endpoint }),
    ...(chosen !== undefined && { region: chosen }),
    ...(credentials !== undefined && { credentials }),
    forcePathStyle: pathStyle ?? isOther,
    // Attempts are made one by one by whoever sends a command: a body that streams has to begin anew.
    maxAttempts: 1,
    // Every segment has a checksum of its own; those of the SDK are unknown to many stores.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // What fails is told by an error.
    logger: SILENT,
    requestHandler: { connectionTimeout: CONNECTING, socketTimeout: SILENCE },
  });
  return { sdk, client };
}

async function loadSdk(): Promise<S3Sdk> {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new MillraceError('package/missing', 'Checkpoints in an object store need the package "@aws-sdk/client-s3".', {
      remedy: 'Install it: npm install @aws-sdk/client-s3.',
      cause,
    });
  }
}
