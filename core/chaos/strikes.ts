import type { Sink, SinkWriter } from '@millrace/core';
import { Catalog } from '../src/checkpoint/catalog.ts';
import type { SinkDefinition } from '../src/operators/connector.ts';
import { Checkpointing } from '../src/runtime/checkpointing.ts';

/** Moments in the life of a process at which it may be made to kill itself. */
export const MOMENTS = ['state written', 'manifest begun', 'manifest written', 'prepared', 'commit begun', 'committed', 'restored'] as const;

export type Moment = (typeof MOMENTS)[number];

/** When to die: the n-th time that something happens. */
export interface Strike {
  readonly moment: Moment;
  readonly nth: number;
}

/** Kills this process, as the system would, when its moment has come. */
export class Executioner {
  readonly #strike: Strike | undefined;
  #left: number;

  constructor(strike: Strike | undefined) {
    this.#strike = strike;
    this.#left = strike?.nth ?? Infinity;
  }

  /** Watches over checkpoints, from outside of the engine. */
  watchCheckpoints(): void {
    const pass = (moment: Moment): void => this.pass(moment);
    const { add } = Catalog.prototype;
    Catalog.prototype.add = async function (this: Catalog, ...args: Parameters<Catalog['add']>) {
      pass('manifest begun');
      await add.apply(this, args);
      pass('manifest written');
    };
    const { keep } = Checkpointing.prototype;
    Checkpointing.prototype.keep = async function (this: Checkpointing, ...args: Parameters<Checkpointing['keep']>) {
      await keep.apply(this, args);
      pass('state written');
    };
  }

  /** A sink that is watched between its two phases. */
  watch<T>(sink: Sink<T>): Sink<T> {
    const { name, open } = sink.definition as unknown as SinkDefinition<T, unknown>;
    const definition: SinkDefinition<T, unknown> = { name, open: async (context) => this.#watched(await open(context)) };
    return { kind: 'sink', definition: definition as never };
  }

  pass(moment: Moment): void {
    if (this.#strike?.moment === moment && --this.#left <= 0) process.kill(process.pid, 'SIGKILL');
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
