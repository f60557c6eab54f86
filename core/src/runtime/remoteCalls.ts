import { MillraceError } from '../errors/millraceError.ts';
import { type PlainError, toPlainError, fromPlainError } from '../errors/plainError.ts';

/** What goes over a port: plain data and bytes. */
export interface CallMessage {
  /** `tell` wants no answer, `call` one with the same number. */
  readonly kind: 'tell' | 'call' | 'result' | 'failure';
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** A way for messages to another thread or process and back: in order, each once. */
export interface Port {
  /** `transfer`: memory that may move to the other side with the message. */
  post(message: CallMessage, transfer: readonly ArrayBuffer[]): void;
  onMessage(listener: (message: CallMessage) => void): void;
}

/** What one side of a port can be asked to do, by name. */
export type CallHandlers = Readonly<Record<string, (...args: never[]) => unknown>>;

/** Calls functions on the other side of a port, and answers its calls. What is called and told arrives in order. */
export class RemoteCalls {
  private readonly port: Port;
  private readonly handlers: CallHandlers;
  private readonly waiting = new Map<number, { readonly resolve: (value: never) => void; readonly reject: (error: unknown) => void }>();
  private next = 1;
  private lost: unknown;

  constructor(port: Port, handlers: CallHandlers) {
    this.port = port;
    this.handlers = handlers;
    port.onMessage((message) => this.receive(message));
  }

  /** Asks for something that gives no answer. */
  tell(name: string, ...args: readonly unknown[]): void {
    this.post({ kind: 'tell', id: 0, name, args });
  }

  /** Asks for something and waits for the answer. */
  call<R>(name: string, ...args: readonly unknown[]): Promise<R> {
    const id = this.next++;
    return new Promise<R>((resolve, reject) => {
      if (this.lost !== undefined) return reject(this.lost);
      this.waiting.set(id, { resolve, reject });
      this.post({ kind: 'call', id, name, args });
    });
  }

  /** The other side is gone: whoever waits for it hears so. */
  lose(error: unknown): void {
    this.lost ??= error;
    for (const { reject } of this.waiting.values()) reject(this.lost);
    this.waiting.clear();
  }

  private post(message: CallMessage): void {
    if (this.lost === undefined) this.port.post(message, ownedMemory(message.args));
  }

  private receive({ kind, id, name, args }: CallMessage): void {
    if (kind === 'tell') this.handle(name, args);
    else if (kind === 'call') this.answer(id, name, args);
    else {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (kind === 'result') waiting?.resolve(args[0] as never);
      else waiting?.reject(fromPlainError(args[0] as PlainError));
    }
  }

  private answer(id: number, name: string, args: readonly unknown[]): void {
    const run = async (): Promise<unknown> => this.handle(name, args);
    run().then(
      (value) => this.post({ kind: 'result', id, name, args: [value] }),
      (error: unknown) => this.post({ kind: 'failure', id, name, args: [toPlainError(error)] }),
    );
  }

  private handle(name: string, args: readonly unknown[]): unknown {
    const handler = Object.hasOwn(this.handlers, name) ? this.handlers[name] : undefined;
    if (handler !== undefined) return handler(...(args as never[]));
    throw new MillraceError('worker/protocol', `"${name}" was asked for, which there is not.`, {
      remedy: 'Both sides must run the same version of the engine.',
    });
  }
}

/** Memory of blocks of bytes that nobody else looks at: it can move instead of being copied. */
function ownedMemory(args: readonly unknown[]): readonly ArrayBuffer[] {
  return args.flat().flatMap((arg) => {
    const isOwned = arg instanceof Uint8Array && arg.buffer instanceof ArrayBuffer && arg.byteLength === arg.buffer.byteLength;
    return isOwned && arg.byteLength > 0 ? [arg.buffer as ArrayBuffer] : [];
  });
}
