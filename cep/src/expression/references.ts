import { isRecord, malformed, type Place } from './place.ts';
import { type Evaluate, nameText, pathText, type Term } from './term.ts';

/** Terms that read: a field of the event, its time, events of earlier steps, an item. `undefined`: `json` is none of these. */
export function reference(json: Readonly<Record<string, unknown>>, place: Place): Term | undefined {
  if ('last' in json || 'first' in json || 'all' in json) return earlier(json, place);
  if ('item' in json) return item(json, place);
  if ('time' in json) return timeOf(json, place);
  return 'field' in json ? fieldOf(json, place) : undefined;
}

function fieldOf(json: Readonly<Record<string, unknown>>, place: Place): Term {
  onlyFields(json, ['field'], place);
  const path = pathFrom(json['field'], place, 'field');
  return { type: 'any', text: path.length === 0 ? 'event()' : pathText(path), ...NOTHING_READ, evaluate: valueAt(path), field: path };
}

function timeOf(json: Readonly<Record<string, unknown>>, place: Place): Term {
  onlyFields(json, ['time'], place);
  if (json['time'] !== true) throw malformed(place, 'time is not true', 'Write { "time": true } for the time of the event, in ms.');
  return { type: 'number', text: 'time()', ...NOTHING_READ, usesTime: true, evaluate: (_event, _soFar, time) => time };
}

function item(json: Readonly<Record<string, unknown>>, place: Place): Term {
  onlyFields(json, ['item'], place);
  if (!place.hasItem) throw malformed(place, 'there is no item here', 'Use item inside of the condition of some or every.');
  const path = json['item'] === true ? [] : pathFrom(json['item'], place, 'item');
  const read = valueAt(path);
  const evaluate: Evaluate = (_event, soFar, time, each) => read(each, soFar, time, undefined);
  return { type: 'any', text: `item()${path.length === 0 ? '' : `.${pathText(path)}`}`, ...NOTHING_READ, usesItem: true, evaluate };
}

/** Of a step that was taken before: its first or last event, or all of them; or a field of these. */
function earlier(json: Readonly<Record<string, unknown>>, place: Place): Term {
  const which = (['last', 'first', 'all'] as const).find((name) => name in json)!;
  onlyFields(json, [which, 'field'], place);
  const step = json[which];
  if (typeof step !== 'string') throw malformed(place, `${which} is not the name of a step`, `Write { "${which}": "step", "field": "…" }.`);
  const path = 'field' in json ? pathFrom(json['field'], place, 'field') : [];
  const read = valueAt(path);
  const text = `${which}(${nameText(step)})${path.length === 0 ? '' : `.${pathText(path)}`}`;
  const known = { text, ...NOTHING_READ, steps: [step] };
  if (which === 'all') {
    const evaluate: Evaluate = (_event, soFar, time) => (soFar[step] ?? []).map((each) => read(each, soFar, time, undefined));
    return { type: 'list', ...known, evaluate };
  }
  const index = which === 'first' ? 0 : -1;
  return { type: 'any', ...known, evaluate: (_event, soFar, time) => read(soFar[step]?.at(index), soFar, time, undefined) };
}

const NOTHING_READ = { steps: [], usesTime: false, usesItem: false } as const;

/** `"card.country"`, or a list where a name has a dot of its own. An empty list is the event itself. */
function pathFrom(json: unknown, place: Place, what: string): readonly string[] {
  const path: unknown = typeof json === 'string' ? json.split('.') : json;
  if (!Array.isArray(path) || path.some((name) => typeof name !== 'string' || name === '')) {
    throw malformed(place, `${what} is no path to a field`, 'Write "card.country", or ["card", "country"].');
  }
  return path as string[];
}

function valueAt(path: readonly string[]): Evaluate {
  if (path.length === 0) return (event) => event;
  const [first] = path as [string];
  if (path.length === 1) return (event) => (event as Readonly<Record<string, unknown>> | null | undefined)?.[first];
  return (event) => {
    let value = event;
    for (let i = 0; i < path.length; i++) {
      if (value === null || value === undefined) return undefined;
      value = (value as Readonly<Record<string, unknown>>)[path[i]!];
    }
    return value;
  };
}

function onlyFields(json: Readonly<Record<string, unknown>>, allowed: readonly string[], place: Place): void {
  const surplus = isRecord(json) ? Object.keys(json).find((name) => !allowed.includes(name)) : undefined;
  if (surplus !== undefined)
    throw malformed(place, `"${surplus}" does not belong beside "${allowed[0]!}"`, `Allowed are: ${allowed.join(', ')}.`);
}
