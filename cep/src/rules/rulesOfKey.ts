import { type ByteReader, type Codec, MillraceError, type Timestamp } from '@millrace/core';
import type { LiveKey } from '../executors/executor.ts';
import type { ActiveRule } from './activeRule.ts';

/** Runs as they were written: a rule's own form reads them, when it is asked for them. */
interface Written {
  /** The form that wrote them. */
  readonly form: string;
  readonly reader: ByteReader;
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** The runs of one rule. */
export interface Followed {
  readonly rule: ActiveRule;
  readonly live: LiveKey;
  /** When time alone will change them; Infinity: never. */
  deadline: Timestamp;
}

/** The runs of all rules for one key: keyed state. */
export class RulesOfKey {
  /** The time for which the key's timer is set; Infinity: it is not. */
  timer: Timestamp = Infinity;
  /** The epoch of the rules for which it was looked through last. */
  epoch: number = -1;
  /** How many rules have runs that every event concerns. */
  reactingToAll: number = 0;
  readonly followed: Map<ActiveRule, Followed> = new Map();
  /** What was restored and not been looked at yet, by the addresses of rules. */
  written: Map<string, Written> | undefined;

  get isIdle(): boolean {
    return this.followed.size === 0 && this.written === undefined;
  }

  /** Begins to follow a rule. */
  add(rule: ActiveRule, live: LiveKey): Followed {
    const followed: Followed = { rule, live, deadline: Infinity };
    this.followed.set(rule, followed);
    if (rule.reactsToAll) this.reactingToAll++;
    return followed;
  }

  delete(rule: ActiveRule): void {
    if (this.followed.delete(rule) && rule.reactsToAll) this.reactingToAll--;
  }

  /** Reads what was restored; runs of rules that nobody knows any more are gone. */
  open(find: (address: string) => ActiveRule | undefined): void {
    if (this.written === undefined) return;
    for (const [address, written] of this.written) {
      const rule = find(address);
      if (rule === undefined) continue;
      const { codec, name } = rule.form;
      if (written.form !== name) throw changedForm(rule, written.form);
      written.reader.at = written.at;
      const followed = this.add(rule, codec.read(written.reader, codec.version));
      followed.deadline = rule.executor.nextDeadline(followed.live);
    }
    this.written = undefined;
  }
}

const FORMS = ['runs', 'compact'];

/** How the runs of a key's rules leave memory: those of each rule by its own form, side by side. */
export const RULES_CODEC: Codec<RulesOfKey> = {
  name: 'cep-rules',
  version: 1,
  write: (rules, writer) => {
    writer.float64(rules.timer);
    writer.varint(rules.followed.size + (rules.written?.size ?? 0));
    for (const { rule, live } of rules.followed.values()) {
      writer.text(rule.address);
      const before = writer.length;
      writer.byte(FORMS.indexOf(rule.form.name));
      writer.varint(rule.form.codec.version);
      rule.form.codec.write(live, writer);
      const bytes = writer.bytes.slice(before, writer.length);
      writer.length = before;
      writer.block(bytes);
    }
    for (const [address, { bytes }] of rules.written ?? []) {
      writer.text(address);
      writer.block(bytes);
    }
  },
  read: (reader) => {
    const rules = new RulesOfKey();
    rules.timer = reader.float64();
    const written = (rules.written = new Map<string, Written>());
    for (let n = reader.varint(); n > 0; n--) {
      const address = reader.text();
      const bytes = reader.block().slice();
      const end = reader.at;
      reader.at = end - bytes.length;
      written.set(address, { form: readForm(reader), reader, at: reader.at, bytes });
      reader.at = end;
    }
    return rules;
  },
};

function readForm(reader: ByteReader): string {
  const form = FORMS[reader.byte()];
  const version = reader.varint();
  if (form !== undefined && version === 1) return form;
  throw new MillraceError(
    'codec/corrupt',
    `Runs were written in version ${version} of a form that this version of the package does not know.`,
    {
      remedy: 'Restore with the version of the package that wrote them.',
    },
  );
}

function changedForm({ rule, version, form }: ActiveRule, written: string): MillraceError {
  return new MillraceError(
    'cep/changed-pattern',
    `The snapshot holds partial matches of rule "${rule}" version ${version} in the form "${written}"; the job has it as "${form.name}".`,
    { remedy: 'Restore with the options (emit, maxPartials) that the snapshot was written with.' },
  );
}
