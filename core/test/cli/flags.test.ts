import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Flag, flagOf } from '../../src/cli/flag.ts';
import { parseFlags } from '../../src/cli/flagParser.ts';
import { flagList } from '../../src/cli/help.ts';
import { nearest } from '../../src/cli/nearest.ts';

function flag(name: string, type: Flag['type'], more: Partial<Flag> = {}): Flag {
  return { ...flagOf({ name, type, array: false, required: false }), ...more };
}

const FLAGS: readonly Flag[] = [
  flag('input', 'string'),
  flag('days', 'integer'),
  flag('ratio', 'number'),
  flag('json', 'boolean'),
  flag('order', 'enum', { choices: ['up', 'down', 3] }),
  flag('skip', 'number', { array: true }),
  flag('filter', 'json'),
  flag('maxParallelism', 'integer'),
];

const parse = (...args: readonly string[]) => parseFlags(args, FLAGS, 'See elsewhere.');
const values = (...args: readonly string[]) => parse(...args).values;

/** The sentence of what goes wrong. */
function problem(...args: readonly string[]): string {
  try {
    parse(...args);
  } catch (error) {
    expect(error).toMatchObject({ code: 'cli/usage' });
    return (error as Error).message;
  }
  return '';
}

describe('names', () => {
  test.each([
    ['input', 'input'],
    ['maxParallelism', 'max-parallelism'],
    ['dead_letter', 'dead-letter'],
    ['HTTPPort', 'http-port'],
    ['top10Only', 'top10-only'],
  ])('%s is --%s', (name, expected) => expect(flagOf({ name, type: 'string', array: false, required: false }).flag).toBe(expected));
});

describe('values', () => {
  test('each type', () => {
    expect(values('--input', 'a.csv', '--days=7', '--ratio', '-0.5e3', '--json', '--order', 'down', '--filter', '{"a":[1]}')).toEqual({
      input: 'a.csv',
      days: 7,
      ratio: -500,
      json: true,
      order: 'down',
      filter: { a: [1] },
    });
  });

  test('what is not given is not there', () => expect(values()).toEqual({}));

  test('booleans', () => {
    expect(values('--no-json')).toEqual({ json: false });
    expect(values('--json=false')).toEqual({ json: false });
    expect(values('--json', '--no-json')).toEqual({ json: false });
    expect(values('--no-json', '--json')).toEqual({ json: true });
  });

  test('a list is repeated; of anything else the last counts', () => {
    expect(values('--skip', '1', '--skip=2', '--days', '1', '--days', '2')).toEqual({ skip: [1, 2], days: 2 });
  });

  test('kebab case stands for the field', () => expect(values('--max-parallelism', '8')).toEqual({ maxParallelism: 8 }));

  test('a choice keeps its type', () => expect(values('--order', '3')).toEqual({ order: 3 }));

  test('a value can begin with a dash, also with two after =', () => {
    expect(values('--input', '-')).toEqual({ input: '-' });
    expect(values('--input=--odd')).toEqual({ input: '--odd' });
    expect(values('--input=')).toEqual({ input: '' });
  });

  test('numbers come back as they were', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), (ratio, days) => {
        expect(values('--ratio', String(ratio), `--days=${days}`)).toEqual({ ratio: Number(String(ratio)), days });
      }),
    );
  });

  test('positionals and help', () => {
    expect(parse('job.ts', '--days', '1', 'other')).toMatchObject({ positionals: ['job.ts', 'other'], help: false });
    expect(parse('-h').help).toBe(true);
    expect(parse('--help').help).toBe(true);
  });
});

describe('mistakes', () => {
  test.each([
    [['--days', 'x'], '--days cannot be "x". Give a whole number.'],
    [['--days', '1.5'], 'Give a whole number.'],
    [['--days='], 'Give a whole number.'],
    [['--ratio', 'Infinity'], 'Give a number.'],
    [['--order', 'sideways'], 'Give one of: up, down, 3.'],
    [['--filter', '{'], 'Give JSON'],
    [['--json=maybe'], 'Write --json or --no-json.'],
    [['--input'], '--input needs a value. Write --input TEXT.'],
    [['--input', '--json'], '--input needs a value.'],
    [['--order'], 'Write --order up|down|3.'],
    [['--no-input'], 'There is no flag --no-input.'],
    [['--inptu', 'x'], 'There is no flag --inptu. Did you mean --input?'],
    [['--max'], 'Did you mean --max-parallelism?'],
    [['--utterly-else'], 'There is no flag --utterly-else. See elsewhere.'],
    [['-x'], 'There is no flag -x. See elsewhere.'],
  ])('%j', (args, expected) => expect(problem(...args)).toContain(expected));
});

describe('near names', () => {
  test('swapped, missing, wrong and added letters', () => {
    for (const word of ['strem', 'steram', 'streams', 'strean', 'STREAM']) expect(nearest(word, ['stream', 'batch'])).toEqual(['stream']);
  });

  test('nothing for what is like nothing, and short words are not everything', () => {
    expect(nearest('x', ['a', 'b'])).toEqual([]);
    expect(nearest('window', ['batch', 'mode'])).toEqual([]);
  });

  test('a name is nearest to itself', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{2,12}$/), (name) => {
        expect(nearest(name, ['unrelatedness', name])[0]).toBe(name);
      }),
    );
  });
});

test('help lists flags with what they take, their defaults and what they mean', () => {
  const flags = [
    flag('input', 'string', { required: true, description: 'what to read' }),
    flag('days', 'integer', { default: 183, placeholder: 'N' }),
    flag('order', 'enum', { choices: ['up', 'down'], default: 'up', description: 'the order' }),
    flag('skip', 'number', { array: true, default: [] }),
    flag('json', 'boolean', { default: false, description: 'one JSON line each' }),
    flag('color', 'boolean', { default: true, description: `${'in colour '.repeat(12)}if it can` }),
    flag('aFlagWithAnExtraordinarilyLongName', 'string', { description: 'stands on its own line' }),
  ];
  expect(flagList(flags)).toMatchInlineSnapshot(`
    "  --input TEXT                what to read (required)
      --days N                    (default: 183)
      --order up|down             the order (default: up)
      --skip NUMBER               (can be repeated)
      --json                      one JSON line each
      --[no-]color                in colour in colour in colour in colour in colour in colour in colour
                                  in colour in colour in colour in colour in colour if it can (default:
                                  on)
      --a-flag-with-an-extraordinarily-long-name TEXT
                                  stands on its own line"
  `);
});
