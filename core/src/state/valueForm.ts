import { describeError } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';
import { compileSchema, describeIssues, type Validator } from '../schema/standard.ts';
import { ByteReader } from './byteReader.ts';
import { ByteWriter } from './byteWriter.ts';
import type { StateOptions } from './descriptor.ts';
import { incompatible, type StateForm } from './stateForm.ts';
import type { Codec } from './valueCodec.ts';

/**
 * How the values of a declared state leave memory and come back: by a codec of the user's, from older versions by migration, checked by a
 * schema. Without these it lets everything through as it is.
 */
export class ValueForm<V> {
  readonly form: StateForm;
  readonly name: string;
  private readonly version: number;
  private readonly codec: Codec<V> | undefined;
  private readonly migrate: StateOptions<V>['migrate'];
  private readonly validate: Validator<V> | undefined;
  private readonly writer = new ByteWriter(64);

  constructor(name: string, kind: string, { version = 1, codec, migrate, schema }: StateOptions<V>) {
    if (!Number.isSafeInteger(version) || version < 1) {
      throw new MillraceError('state/option', `State "${name}" has version ${String(version)}.`, {
        remedy: 'Versions are whole numbers from 1 on.',
      });
    }
    this.name = name;
    this.version = version;
    this.codec = codec;
    this.migrate = migrate;
    this.validate = schema === undefined ? undefined : compileSchema(schema);
    this.form = { kind, version, codec: codec && { name: codec.name, version: codec.version } };
  }

  /** Values are written as they are. */
  get isPlain(): boolean {
    return this.codec === undefined;
  }

  /** Plain data for a value: its bytes, where there is a codec. */
  encode(value: V): unknown {
    if (this.codec === undefined) return value;
    this.writer.reset();
    this.codec.write(value, this.writer);
    return this.writer.written().slice();
  }

  /** The value that was written in a form; without one, in this one. What this very state has written, as its `form` tells, is not checked. */
  decode(stored: unknown, writtenIn?: StateForm): V {
    if (writtenIn === this.form) return this.read(stored, writtenIn) as V;
    const form = writtenIn ?? this.form;
    const value = this.migrated(this.read(stored, form), form.version ?? 1);
    if (this.validate === undefined) return value;
    const checked = this.validate(value);
    if (checked.issues === undefined) return checked.value;
    throw new MillraceError(
      'state/invalid',
      `A value of the state "${this.name}" is not what its schema says: ${describeIssues(checked.issues)}.`,
      {
        remedy: 'Raise the version of the state and give it a migrate function, or widen the schema.',
      },
    );
  }

  private read(stored: unknown, { codec: writtenBy }: StateForm): unknown {
    if (writtenBy === undefined) return stored;
    const { codec, name } = this;
    const before = `codec ${writtenBy.name} ${writtenBy.version}`;
    if (codec === undefined) throw incompatible(name, before, 'no codec', 'Give the state that codec again.');
    const isReadable = codec.version === writtenBy.version || codec.reads?.includes(writtenBy.version) === true;
    if (codec.name !== writtenBy.name || !isReadable) {
      const remedy = 'Let the codec read that version (reads), or restore with the job that wrote it.';
      throw incompatible(name, before, `codec ${codec.name} ${codec.version}`, remedy);
    }
    return codec.read(new ByteReader(stored as Uint8Array), writtenBy.version);
  }

  private migrated(value: unknown, from: number): V {
    if (from === this.version) return value as V;
    const { migrate, name, version } = this;
    if (from > version) throw incompatible(name, `version ${from}`, `version ${version}`, 'Restore with the newer job that wrote it.');
    if (migrate === undefined) throw incompatible(name, `version ${from}`, `version ${version}`, 'Give the state a migrate function.');
    if (typeof migrate === 'function') return this.guarded(() => migrate(value, from), from) as V;
    let migrated = value;
    for (let step = from; step < version; step++) {
      const to = migrate[step];
      if (to === undefined)
        throw incompatible(name, `version ${from}`, `version ${version}`, `Give it a migrate function for step ${step}.`);
      const before = migrated as never;
      migrated = this.guarded(() => to(before), step);
    }
    return migrated as V;
  }

  private guarded(migrate: () => unknown, from: number): unknown {
    try {
      return migrate();
    } catch (error) {
      throw new MillraceError(
        'state/incompatible',
        `The migration of "${this.name}" from version ${from} failed: ${describeError(error)}.`,
        {
          remedy: 'Make it read every value that this version of the job could write.',
          cause: error,
        },
      );
    }
  }
}
