import { MillraceError } from '@millrace/core';
import { createActor, createMachine } from 'xstate';
import { describe, expect, it } from 'vitest';
import { all, either, fromJSON, pattern, toMachine } from '../../src/index.ts';

interface Payment {
  readonly card: string;
  readonly cents: number;
}

const small = { expression: { '<': [{ field: 'cents' }, 100] } };
const large = { expression: { '>': [{ field: 'cents' }, { '*': [{ last: 'small', field: 'cents' }, 100] }] } };

const PATTERNS = {
  loop: pattern<Payment>()
    .begin('small')
    .where(small)
    .oneOrMore()
    .greedy()
    .followedBy('large')
    .where(large)
    .within({ minutes: 10 })
    .afterMatch('pastLast'),
  absence: pattern<Payment>().begin('small').where(small).notFollowedBy('quiet').where(large).within({ minutes: 1 }),
  strict: pattern<Payment>()
    .begin('small')
    .where(small)
    .next('b')
    .whereEqual('card', 'small')
    .optional()
    .next('c')
    .where(small)
    .notNext('d')
    .where(small),
  groups: pattern<Payment>()
    .begin(pattern<Payment>().begin('a').where(small).followedByAny('b').where(small))
    .times(2)
    .followedBy(either(pattern<Payment>().begin('c').where(small), pattern<Payment>().begin('d').where(small)))
    .followedBy(all(pattern<Payment>().begin('e').where(small), pattern<Payment>().begin('f').where(small))),
};

describe.each(Object.entries(PATTERNS))('the pattern "%s"', (_name, built) => {
  it('comes back from its JSON as what it was', () => {
    const text = JSON.stringify(built);
    const read = fromJSON<Payment>(JSON.parse(text));
    expect(read.node).toEqual(built.node);
    expect(JSON.parse(JSON.stringify(read))).toEqual(JSON.parse(text));
  });

  it('is a machine that XState loads and starts', () => {
    const config = toMachine(built);
    expect(JSON.parse(JSON.stringify(config))).toEqual(config);
    const actor = createActor(createMachine(config as never)).start();
    expect(actor.getSnapshot().value).toBe('waiting');
    actor.stop();
  });
});

it('lets the machine of a pattern take a run to its match', () => {
  const config = toMachine(PATTERNS.absence);
  const guards = { '(cents < 100)': ({ event }: { event: { value: Payment } }) => event.value.cents < 100 };
  const actor = createActor(createMachine(config as never, { guards } as never)).start();
  actor.send({ type: 'EVENT', value: { card: 'a', cents: 500 } } as never);
  expect(actor.getSnapshot().value).toBe('waiting');
  actor.send({ type: 'EVENT', value: { card: 'a', cents: 5 } } as never);
  expect(actor.getSnapshot().value).toEqual({ running: 'small' });
  actor.stop();
});

const event = (more: object): object => ({ kind: 'event', link: 'begin', name: 'a', ...more });
const of = (...steps: object[]): object => ({ version: 1, sequence: { steps } });

it.each<[string, unknown, string, string]>([
  ['no object', 7, 'cep/malformed', 'At the top: '],
  ['another version', { version: 2, sequence: { steps: [] } }, 'cep/malformed', 'At version: '],
  ['no steps', { version: 1, sequence: {} }, 'cep/malformed', 'At sequence.steps: '],
  ['a field too many', { ...of(event({})), next: 1 }, 'cep/malformed', 'At next: '],
  ['an unknown kind', of({ kind: 'evnt' }), 'cep/malformed', 'At sequence.steps[0].kind: '],
  ['an unknown link', of(event({ link: 'then' })), 'cep/malformed', 'At sequence.steps[0].link: '],
  ['a window that is no number', of(event({ withinPrevious: '5m' })), 'cep/malformed', 'At sequence.steps[0].withinPrevious: '],
  ['half a quantifier', of(event({ times: { min: 1 } })), 'cep/malformed', 'At sequence.steps[0].times.max: '],
  ['two conditions in one', of(event({ where: { ...small, and: [] } })), 'cep/malformed', 'At sequence.steps[0].where: '],
  [
    'a bad expression',
    of(event({ where: { and: [small, { expression: { '<': [1] } }] } })),
    'cep/condition',
    'At sequence.steps[0].where.and[1].expression["<"]: ',
  ],
  ['a step that nobody has', of(event({ where: large })), 'cep/malformed', 'At sequence.steps[0].where.expression: '],
  ['a function that nobody gave', of(event({ where: { function: 'f' } })), 'cep/malformed', 'At sequence.steps[0].where.function: '],
  ['a name twice', of(event({}), event({ link: 'next' })), 'cep/duplicate-name', 'Step "a": '],
])('refuses %s and says where', (_what, json, code, problem) => {
  try {
    fromJSON(json);
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError);
    expect([(error as MillraceError).code, (error as MillraceError).problem.slice(0, problem.length)]).toEqual([code, problem]);
    return;
  }
  expect.unreachable();
});

it('finds functions by their names', () => {
  const isSmall = (p: Payment): boolean => p.cents < 100;
  const read = fromJSON<Payment>(of(event({ where: { function: 'isSmall' } })), { functions: { isSmall: isSmall as never } });
  expect(read.node.sequence.steps[0]).toMatchObject({ where: { function: isSmall, name: 'isSmall' } });
  expect(read.toJSON()).toEqual(of(event({ where: { function: 'isSmall' } })));
});
