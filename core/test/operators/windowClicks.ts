import { type DataStream, sum, tumbling, type WindowAssigner, type WindowOptions } from '../../src/index.ts';
import type { Harness } from '../../src/testing.ts';

export interface Click {
  readonly user: string;
  readonly at: number;
  readonly n: number;
}

export const tens = tumbling({ milliseconds: 10 });
export const click = (user: string, at: number, n = 1): Click => ({ user, at, n });

export const sums =
  (assigner: WindowAssigner<Click>, options: WindowOptions<Click> = {}) =>
  (i: { clicks: DataStream<Click> }) => {
    const out = i.clicks
      .keyBy(({ user }) => user)
      .window(assigner, options)
      .aggregate({ n: sum(({ n }: Click) => n) }, { uid: 'windows' });
    return { out, late: out.side('late') };
  };

/** A harness over {@link sums}. */
export type Driven = Harness<{ clicks: Click }, { out: { value: { n: number }; pane: { timing: string; index: number; final: boolean } } }>;

export function push(h: Harness<{ clicks: Click }, unknown>, ...clicks: Click[]): void {
  for (const each of clicks) h.push('clicks', each, each.at);
}

/** Results as `sum timing index`, with a mark on the last word. */
export function panes(h: Driven): string[] {
  return h.drain('out').map(({ value, pane: { timing, index, final } }) => `${value.n} ${timing} ${index}${final ? '!' : ''}`);
}
