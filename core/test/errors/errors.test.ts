import { describe, expect, test } from 'vitest';
import {
  count,
  defineTrigger,
  discard,
  fromArray,
  generator,
  MillraceError,
  output,
  session,
  sliding,
  StreamEnvironment,
  tumbling,
} from '../../src/index.ts';
import { describeError, describeValue } from '../../src/errors/describe.ts';
import { isMillraceError } from '../../src/errors/millraceError.ts';
import { recordingLogger } from '../recordingLogger.ts';

interface Payment {
  readonly card: string;
  readonly at: number;
}

/** What no message and no log may show. */
const SECRET = '4111-1111-1111-1111';

/** Payments to go wrong with. */
function payments(env = new StreamEnvironment({ logger: recordingLogger() })) {
  return env.from(fromArray<Payment>([{ card: SECRET, at: 1 }]), { uid: 'payments' });
}

/** Ways to go wrong: the code, the uid where there is one, and what the message tells of both sides. */
const MISTAKES: readonly (readonly [code: string, uid: string | undefined, tells: readonly (string | RegExp)[], () => unknown])[] = [
  ['duration/invalid', undefined, ['size', '60'], () => tumbling(60 as never)],
  ['window/invalid', undefined, [/-\d|negative/], () => tumbling({ seconds: -1 })],
  ['duration/invalid', undefined, ['months'], () => tumbling({ months: 1 } as never)],
  ['window/invalid', undefined, ['every'], () => sliding({ seconds: 1 }, { every: {} })],
  ['graph/empty', undefined, ['no source'], () => new StreamEnvironment().plan()],
  ['graph/option', undefined, ['parallelism', '0'], () => payments().map((p) => p, { parallelism: 0 })],
  ['graph/option', undefined, ['"a b\\n"'], () => payments().map((p) => p, { uid: 'a b\n' })],
  [
    'graph/option',
    'all',
    ['parallelism 4', 'windowAll'],
    () =>
      payments()
        .windowAll(tumbling({ seconds: 1 }))
        .aggregate({ n: count() }, { uid: 'all', parallelism: 4 }),
  ],
  ['graph/duplicate-uid', 'payments', ['"one"', '"source"'], () => payments().map((p) => p, { uid: 'payments', name: 'one' })],
  [
    'graph/no-timestamps',
    'minutes',
    ['"payments"', '"window aggregate"'],
    () => {
      const env = new StreamEnvironment();
      const minutes = payments(env)
        .keyBy(({ card }) => card)
        .window(tumbling({ minutes: 1 }));
      minutes.aggregate({ n: count() }, { uid: 'minutes' }).sinkTo(discard());
      return env.plan();
    },
  ],
  [
    'trigger/no-merge',
    undefined,
    ['session', 'own'],
    () => {
      const own = defineTrigger<Payment, {}>({ name: 'own', domain: 'eventTime', onElement: () => 'continue' });
      return payments()
        .keyBy(({ card }) => card)
        .window(session({ minutes: 1 }), { trigger: own })
        .aggregate({ n: count() });
    },
  ],
  ['output/undeclared', 'payments', ['nobody'], () => payments().side('nobody' as never)],
  ['config/invalid', undefined, ['rate', '-5'], () => generator({ rate: -5, create: (i) => i })],
  [
    'graph/unbounded',
    'endless',
    ['never ends'],
    async () => new StreamEnvironment().from(generator({ create: (i) => i }), { uid: 'endless' }).collect(),
  ],
  [
    'key/invalid',
    'keyed',
    ['undefined'],
    async () =>
      payments()
        .keyBy(() => undefined as never)
        .reduce((a) => a, { uid: 'keyed' })
        .collect(),
  ],
  [
    'operator/failed',
    'broken',
    ['no luck'],
    async () =>
      payments()
        .map(
          () => {
            throw new Error('no luck');
          },
          { uid: 'broken' },
        )
        .collect(),
  ],
  [
    'output/undeclared',
    'tee',
    ['"copies"'],
    async () =>
      payments()
        .process({
          uid: 'tee',
          outputs: { copy: output<Payment>() },
          onElement: (p, context) => context.output('copies' as never, p as never),
        })
        .collect(),
  ],
  [
    'timer/no-timestamp',
    'timed',
    ['"due"'],
    async () =>
      payments()
        .keyBy(({ card }) => card)
        .process({
          uid: 'timed',
          timers: { due: 'eventTime' },
          onElement: (_p, { timers }) => timers.set('due', { after: { seconds: 1 } }),
        })
        .collect(),
  ],
  [
    'timestamp/invalid',
    'timed',
    ['"due"', 'NaN'],
    async () =>
      payments()
        .keyBy(({ card }) => card)
        .process({ uid: 'timed', timers: { due: 'eventTime' }, onElement: (_p, { timers }) => timers.set('due', Number.NaN) })
        .collect(),
  ],
];

describe('law 10: errors tell', () => {
  test.each(MISTAKES)('%s (uid %s)', async (code, uid, tells, make) => {
    const error = await (async () => make())().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(MillraceError);
    const { message, remedy, problem, ...rest } = error as MillraceError;
    expect(rest).toMatchObject({ code, uid });
    expect(message).toBe(`[${code}]${uid === undefined ? '' : ` uid "${uid}":`} ${problem} ${remedy}`);
    for (const told of tells) expect(problem).toMatch(told);
    // Sentences: what is wrong, then what to do.
    expect(problem).toMatch(/^\S.*[.!?]$/s);
    expect(remedy).toMatch(/^[A-Z].*[.!?]$/s);
    expect(message).not.toContain(SECRET);
  });
});

describe('an error', () => {
  const error = new MillraceError('key/invalid', 'A key is NaN.', { remedy: 'Filter it.' });

  test('gets its place from whoever knows it first', () => {
    const placed = error.at('near').at('far');
    expect(placed).toMatchObject({ uid: 'near', code: 'key/invalid', cause: error });
    expect(placed.message).toBe('[key/invalid] uid "near": A key is NaN. Filter it.');
  });

  test('is known by its name, also when it comes from another copy of the package', () => {
    const foreign = Object.assign(new Error('x'), { name: 'MillraceError', code: 'key/invalid' });
    expect([error, foreign, new Error('x'), 'x', undefined].map(isMillraceError)).toEqual([true, true, false, false, false]);
  });
});

describe('values are described', () => {
  class Card {
    readonly number = SECRET;
  }

  test.each([
    [
      { card: SECRET, cents: 3, at: Number.NaN, tags: ['x'], owner: null, of: new Card() },
      '{ card: string, cents: number, at: NaN, tags: array, owner: null, of: Card }',
    ],
    [new Card(), 'Card'],
    [[SECRET, 1], 'array of 2 (first: string)'],
    [[], 'empty array'],
    [{}, '{}'],
    [null, 'null'],
    [undefined, 'undefined'],
    [SECRET, 'string'],
    [Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`f${i}`, i])), /^\{ f0: number, .*f11: number, … 2 more \}$/],
  ])('by types and fields (%#)', (value, expected) => {
    expect(describeValue(value)).toEqual(expected instanceof RegExp ? (expect.stringMatching(expected) as string) : expected);
  });

  test('what was thrown is told whatever it is', () => {
    expect([new Error('no'), new TypeError(''), 'text', { secret: SECRET }].map(describeError)).toEqual([
      'no',
      'TypeError',
      'text',
      'a thrown { secret: string }',
    ]);
  });
});
