import { isMainThread } from 'node:worker_threads';
import type { Sink, SinkWriter } from '@millrace/core';
import { replaceMethod } from '../simulation/replaceMethod.ts';
import { Catalog } from '../src/checkpoint/catalog.ts';
import type { Manifest } from '../src/checkpoint/manifest.ts';
import type { Barrier } from '../src/element/element.ts';
import type { SinkDefinition } from '../src/operators/connector.ts';
import { Checkpointing } from '../src/runtime/checkpointing.ts';

/** Moments in the life of a process at which it may be made to kill itself. */
export const MOMENTS = [
  'state written',
  'manifest begun',
  'manifest written',
  'prepared',
  'commit begun',
  'committed',
  'restored',
] as const;

export type Moment = (typeof MOMENTS)[number];

/** When to die: the n-th time that something happens, or after so many ms. */
export interface Strike {
  readonly moment: Moment | 'time';
  readonly nth: number;
  /** Only the worker thread or child process dies in which it happens: one that runs subtasks for another. */
  readonly isAlone?: boolean;
}

/** Kills this process, as the system would, when its moment has come. */
export class Executioner {
  readonly #strike: Strike | undefined;
  #left: number;

  constructor(strike: Strike | undefined) {
    this.#strike = strike;
    this.#left = strike?.nth ?? Infinity;
    if (strike?.moment === 'time') setTimeout(() => this.strikeDown(), strike.nth * (0.5 + Math.random())).unref();
  }

  /** Watches over checkpoints, from outside of the engine. */
  watchCheckpoints(): void {
    const pass = (moment: Moment): void => this.pass(moment);
    replaceMethod(Catalog, 'add', (original) => async (self, manifest: Manifest) => {
      pass('manifest begun');
      await (original(self, manifest) as Promise<void>);
      pass('manifest written');
    });
    replaceMethod(Checkpointing, 'keep', (original) => async (self, barrier: Barrier, name: string, parts: readonly Uint8Array[]) => {
      await (original(self, barrier, name, parts) as Promise<void>);
      pass('state written');
    });
  }

  /** A sink that is watched between its two phases. */
  watch<T>(sink: Sink<T>): Sink<T> {
    const { name, open } = sink.definition as unknown as SinkDefinition<T, unknown>;
    const definition: SinkDefinition<T, unknown> = { name, open: async (context) => this.#watched(await open(context)) };
    return { kind: 'sink', definition: definition as never };
  }

  pass(moment: Moment): void {
    if (this.#strike?.moment === moment && --this.#left <= 0) this.strikeDown();
  }

  /** Now. `isAlone`: where only a thread or a child process is to die, the one that started the job lives on. */
  strikeDown(isAlone = this.#strike?.isAlone === true): void {
    // In a thread this ends nothing but the thread.
    if (isAlone && !isMainThread) process.exit(7);
    const isChild = process.env['MILLRACE_HOST'] !== undefined;
    if (!isAlone || isChild) process.kill(process.pid, 'SIGKILL');
  }

  #watched<T>(writer: SinkWriter<T, unknown>): SinkWriter<T, unknown> {
    return {
      write: (values) => writer.write(values),
      prepare: async (checkpoint) => {
        const committables = await writer.prepare(checkpoint);
        this.pass('prepared');
        return committables;
      },
      commit: async (committables) => {
        this.pass('commit begun');
        await writer.commit(committables);
        this.pass('committed');
      },
      ...(writer.state !== undefined && { state: () => writer.state!() }),
      ...(writer.recover !== undefined && {
        recover: async (committables: readonly unknown[], state: readonly unknown[]) => {
          await writer.recover!(committables, state);
          this.pass('restored');
        },
      }),
      ...(writer.close !== undefined && { close: (failure) => writer.close!(failure) }),
    };
  }
}
