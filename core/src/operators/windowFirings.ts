import type { WindowAssigner } from '../time/assigner.ts';
import { MAX_TIMESTAMP, type Timestamp } from '../time/timestamp.ts';
import { maxTimestamp, type Pane } from '../time/window.ts';
import type { OperatorContext } from './operatorContext.ts';
import type { WindowContents } from './windowContents.ts';
import type { WindowPane } from './windowPane.ts';
import { LAST_WORD } from './windowResult.ts';

/** What made a trigger fire: an element, or a timer of one of the clocks at a time. */
export type FiringCause = 'element' | { readonly name: 'event' | 'processing'; readonly at: Timestamp };

/** How results leave the operator. */
export interface ResultForm {
  /** Whether windows have a key that the user knows of. */
  readonly keyed: boolean;
  /** Whether a result is passed on as it is, or as the `value` of a `WindowResult`. */
  readonly bare: boolean;
}

/**
 * Fires windows: works out which pane a firing is, takes the results and passes them on. Batch mode gives final results only: there, early
 * ones of a window that has an end are held back until it fires again, or goes.
 */
export class WindowFirings<C> {
  private readonly context: OperatorContext;
  private readonly domain: WindowAssigner<never>['domain'];
  private readonly contents: WindowContents<C>;
  private readonly form: ResultForm;
  private readonly finalOnly: boolean;
  /** The results of a firing that have not been passed on, with the window and pane that they are of. */
  private readonly results: unknown[] = [];
  private window: WindowPane<C>['window'] = { start: 0, end: 0 };
  private pane: Pane = LAST_WORD;

  constructor(context: OperatorContext, domain: WindowAssigner<never>['domain'], contents: WindowContents<C>, form: ResultForm) {
    this.context = context;
    this.domain = domain;
    this.contents = contents;
    this.form = form;
    this.finalOnly = context.subtask.emission === 'final';
  }

  /** Takes a pane's results. `purges`: its contents go with this firing, so that nothing will say them again. */
  fire(pane: WindowPane<C>, cause: FiringCause, purges: boolean): void {
    const { contents } = pane;
    if (contents === undefined) return;
    const timing = this.timingOf(pane, cause);
    const held = this.finalOnly && timing === 'early' && !purges;
    this.window = pane.window;
    this.pane = paneOf(timing, pane.index, this.isFinal(pane, timing));
    pane.contents = this.evaluate(contents);
    pane.held = held ? { window: this.window, values: this.results.splice(0) } : undefined;
    pane.changed = false;
    if (!held) pane.index++;
  }

  /** A pane goes: what was held back of it was its last word. */
  close(pane: WindowPane<C>): void {
    if (pane.held === undefined) return;
    this.window = pane.held.window;
    this.pane = paneOf('early', pane.index, true);
    this.results.push(...pane.held.values);
  }

  /** Passes on what was taken: last, when all state is as it will be. */
  emit(): void {
    const { context, window, pane, form, results } = this;
    const time = maxTimestamp(window);
    const { key } = this;
    for (let i = 0; i < results.length; i++) {
      const value = results[i];
      context.emit(form.bare ? value : { key, window, value, pane }, time);
    }
    results.length = 0;
  }

  /** What was taken before user code threw is forgotten. */
  private evaluate(contents: C): C | undefined {
    const { key, window, pane, results } = this;
    try {
      return this.contents.fire(contents, { key, window, pane }, results);
    } catch (error) {
      results.length = 0;
      throw error;
    }
  }

  private get key(): unknown {
    return this.form.keyed ? this.context.key : undefined;
  }

  /** A timer's own time counts, not the clock's: a jump of the watermark past several firings does not make the first one late. */
  private timingOf({ window }: WindowPane<C>, cause: FiringCause): Pane['timing'] {
    if (this.domain === 'none') return 'onTime';
    const end = maxTimestamp(window);
    if (cause !== 'element' && `${cause.name}Time` === this.domain) return cause.at < end ? 'early' : cause.at === end ? 'onTime' : 'late';
    return this.domain === 'eventTime' && this.context.watermark >= end ? 'late' : 'early';
  }

  private isFinal(pane: WindowPane<C>, timing: Pane['timing']): boolean {
    if (pane.eventTimers.length + pane.processingTimers.length > 0) return false;
    if (this.domain === 'none') return this.context.watermark === MAX_TIMESTAMP;
    if (this.domain === 'eventTime' && !this.finalOnly) return pane.cleanup <= this.context.watermark;
    return timing !== 'early';
  }
}

function paneOf(timing: Pane['timing'], index: number, final: boolean): Pane {
  return timing === 'onTime' && index === 0 && final ? LAST_WORD : { timing, index, final };
}
