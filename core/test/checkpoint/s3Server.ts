import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CheckpointStorage } from '../../src/checkpoint/storage.ts';
import { s3, type S3Options } from '../../src/node/s3.ts';
import { sha256, signatureProblem } from './s3Signature.ts';

/** What happens to a request: it is served, refused with a status and code, or the connection breaks before, after, or in the middle of it. */
export type Fate = 'serve' | { readonly status: number; readonly code: string } | 'break' | 'breakAfter' | 'breakWithin' | 'hang';

interface StoredObject {
  readonly content: Buffer;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
}

interface Request {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly message: IncomingMessage;
  readonly body: Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Keys that the server knows. */
export const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };

/**
 * An object store for tests, after the documentation of Amazon S3: signatures are verified, conditional writes honoured (412, 404),
 * lists come in pages, errors as XML. None of the packages that offer one does all of that from npm alone. What goes wrong on the way is
 * up to `fate`.
 */
export class S3Server {
  readonly bucket = 'checkpoints';
  readonly region = 'eu-central-1';
  readonly objects = new Map<string, StoredObject>();
  /** Every request: `PUT a/b`. */
  readonly log: string[] = [];
  /** How many names a page of a list has at most. */
  pageSize = 1000;
  /** A store that does not know conditions. */
  ignoresConditions = false;
  fate: (request: string) => Fate = () => 'serve';
  private readonly server: Server;

  private constructor() {
    this.server = createServer((message, response) => void this.handle(message, response));
  }

  static async start(): Promise<S3Server> {
    const server = new S3Server();
    await new Promise<void>((resolve) => server.server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Storage on this server, each time at a place of its own. */
  storage(options: Partial<S3Options> = {}): CheckpointStorage {
    const { bucket, endpoint, region } = this;
    return s3({ bucket, prefix: `place/${randomUUID()}`, endpoint, region, credentials: CREDENTIALS, ...options });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url!, 'http://any');
    const [bucket = '', ...rest] = decodeURIComponent(url.pathname).slice(1).split('/');
    const key = rest.join('/');
    const name = `${message.method!} ${key === '' ? `?${url.searchParams.get('prefix') ?? ''}` : key}`;
    this.log.push(name);
    const fate = this.fate(name);
    if (fate === 'break') return void message.socket.destroy();
    const content = await bodyOf(message);
    if (fate === 'hang') return;
    const request = { method: message.method!, bucket, key, query: url.searchParams, message, body: content };
    const answer = typeof fate === 'object' ? refusal(fate.status, fate.code) : (this.refused(request) ?? this.serve(request));
    if (fate === 'breakAfter') message.socket.destroy();
    else reply(message, response, answer, fate === 'breakWithin');
  }

  private refused({ message, body, bucket, method }: Request): Answer | undefined {
    const { headers } = message;
    const secrets = new Map([[CREDENTIALS.accessKeyId, CREDENTIALS.secretAccessKey]]);
    const problem = signatureProblem({ method, url: message.url!, headers }, secrets, this.region);
    if (problem !== undefined) return refusal(problem === 'AuthorizationHeaderMalformed' ? 400 : 403, problem);
    const hash = headers['x-amz-content-sha256'];
    if (hash !== 'UNSIGNED-PAYLOAD' && hash !== sha256(body)) return refusal(400, 'XAmzContentSHA256Mismatch');
    if (headers['content-encoding'] === 'aws-chunked') return refusal(501, 'NotImplemented');
    if (method === 'PUT' && headers['content-length'] === undefined) return refusal(411, 'MissingContentLength');
    return bucket === this.bucket ? undefined : refusal(404, 'NoSuchBucket');
  }

  private serve(request: Request): Answer {
    const { method, key, query } = request;
    if (method === 'GET' && key === '' && query.get('list-type') === '2') return this.list(query);
    if (method === 'PUT') return this.put(request);
    if (method === 'DELETE') {
      this.objects.delete(key);
      return { status: 204 };
    }
    const found = this.objects.get(key);
    if (found === undefined) return refusal(404, 'NoSuchKey');
    const { content, etag, metadata } = found;
    return { status: 200, headers: { etag, ...metadata }, body: content };
  }

  private put({ key, message, body }: Request): Answer {
    const found = this.objects.get(key);
    const ifMatch = message.headers['if-match'];
    if (!this.ignoresConditions) {
      if (message.headers['if-none-match'] === '*' && found !== undefined) return refusal(412, 'PreconditionFailed');
      if (ifMatch !== undefined && found === undefined) return refusal(404, 'NoSuchKey');
      if (ifMatch !== undefined && found?.etag !== ifMatch) return refusal(412, 'PreconditionFailed');
    }
    const metadata = Object.entries(message.headers).filter(([name]) => name.startsWith('x-amz-meta-')) as [string, string][];
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    this.objects.set(key, { content: body, etag, metadata: Object.fromEntries(metadata) });
    return { status: 200, headers: { etag } };
  }

  private list(query: URLSearchParams): Answer {
    const prefix = query.get('prefix') ?? '';
    const after = Buffer.from(query.get('continuation-token') ?? '', 'base64').toString();
    const names = [...this.objects.keys()].filter((name) => name.startsWith(prefix) && name > after).sort();
    const page = names.slice(0, this.pageSize);
    const truncated = page.length < names.length;
    const token = truncated ? `<NextContinuationToken>${Buffer.from(page.at(-1)!).toString('base64')}</NextContinuationToken>` : '';
    const contents = page.map(
      (name) => `<Contents><Key>${escapeXml(name)}</Key><Size>${this.objects.get(name)!.content.length}</Size></Contents>`,
    );
    return xml(200, `<ListBucketResult><IsTruncated>${truncated}</IsTruncated>${token}${contents.join('')}</ListBucketResult>`);
  }
}

function refusal(status: number, code: string): Answer {
  return xml(status, `<Error><Code>${code.split(':')[0]!}</Code><Message>${escapeXml(code)}</Message><RequestId>1</RequestId></Error>`);
}

function xml(status: number, text: string): Answer {
  return { status, headers: { 'content-type': 'application/xml' }, body: `<?xml version="1.0" encoding="UTF-8"?>\n${text}` };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function reply({ method, socket }: IncomingMessage, response: ServerResponse, answer: Answer, breaksWithin: boolean): void {
  const { status, headers = {}, body = '' } = answer;
  response.writeHead(status, { 'x-amz-request-id': '1', ...headers, 'content-length': Buffer.byteLength(body) });
  if (breaksWithin) response.write(body.slice(0, Buffer.byteLength(body) / 2), () => socket.destroy());
  else response.end(method === 'HEAD' ? undefined : body);
}
