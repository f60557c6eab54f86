import type { ListedCheckpoint } from '../checkpoint/checkpointList.ts';
import { bytesOf } from '../checkpoint/checkpointHistory.ts';
import { isWrittenBy } from '../checkpoint/catalog.ts';
import type { CheckpointInspection, OperatorInspection } from '../checkpoint/inspection.ts';
import { type Manifest, segmentsOf } from '../checkpoint/manifest.ts';
import type { Savepoint } from '../checkpoint/savepoint.ts';
import { describeCount, describeError } from '../errors/describe.ts';
import { textTable } from '../runtime/textTable.ts';
import type { StateForm } from '../state/stateForm.ts';
import { formatTimestamp, MAX_TIMESTAMP } from '../time/timestamp.ts';
import { bytesText } from './progressText.ts';

/** What a checkpoint takes in the storage, and what of it is its own. */
export interface CheckpointSizes {
  readonly size: number;
  readonly written: number;
}

/** The sizes of a checkpoint, as far as its manifest tells them. */
export function sizesOf(manifest: Manifest): CheckpointSizes {
  const segments = manifest.subtasks.flatMap(segmentsOf);
  return { size: bytesOf(segments), written: bytesOf(segments.filter(({ object }) => isWrittenBy(manifest, object))) };
}

/** What `millrace checkpoint list` shows. */
export function listText(location: string, checkpoints: readonly ListedCheckpoint[]): string {
  if (checkpoints.length === 0) return `There is no checkpoint in ${location}.\n`;
  const rows = checkpoints.map(({ name, manifest, problem, isSuperseded }) => {
    if (manifest === undefined) return ['?', '', '', '', '', '', '', name, describeError(problem)];
    const { checkpoint, kind, epoch, takenAt, job } = manifest;
    const { size, written } = sizesOf(manifest);
    return [
      String(checkpoint),
      kind,
      job,
      String(epoch),
      formatTimestamp(takenAt),
      bytesText(size),
      bytesText(written),
      name,
      isSuperseded ? 'does not count: another process had taken over' : '',
    ];
  });
  const header = ['checkpoint', 'kind', 'job', 'epoch', 'taken at', 'size', 'of it new', 'manifest', ''];
  return `${location}\n\n${textTable(header, rows, new Set([0, 3, 5, 6]))}\n`;
}

/** What `millrace checkpoint inspect` shows. `allGroups`: every key group, not only the fullest. */
export function inspectionText(
  savepoint: Savepoint,
  location: string,
  { operators, objects }: CheckpointInspection,
  allGroups: boolean,
): string {
  const { job, kind, checkpoint, epoch, takenAt, version, maxParallelism, name } = savepoint;
  const { size, written } = sizesOf(savepoint.manifest);
  const facts = [
    `${kind} ${checkpoint} of "${job}", taken at ${formatTimestamp(takenAt)}`,
    `  ${location}/${name}`,
    `  version ${version}, epoch ${epoch}, ${maxParallelism} key groups`,
    `  ${bytesText(size)} in ${describeCount(objects.length)} ${objects.length === 1 ? 'object' : 'objects'}, ${bytesText(written)} of it written by this checkpoint`,
  ];
  const damaged = objects.filter(({ problem }) => problem !== undefined);
  const verdict =
    damaged.length === 0
      ? '  every checksum fits'
      : `  DAMAGED:\n${damaged.map(({ object, problem }) => `    ${object}: ${problem}`).join('\n')}`;
  const sections = [
    [...facts, verdict].join('\n'),
    ...operators.map((operator) => operatorText(operator, allGroups)),
    objectTable(objects),
  ];
  return `${sections.join('\n\n')}\n`;
}

function operatorText(operator: OperatorInspection, allGroups: boolean): string {
  const { uid, kind, subtasks, watermark, finished, bytes, states, lists, problem } = operator;
  const time = watermark === null ? 'no watermark' : `watermark ${watermark === MAX_TIMESTAMP ? 'at the end' : formatTimestamp(watermark)}`;
  const lines = [`${uid} (${kind}) × ${subtasks}: ${bytesText(bytes)}, ${time}${finished ? ', finished' : ''}`];
  if (problem !== undefined) lines.push(`  cannot be read: ${problem}`);
  const rows = [
    ...states.map(({ state, keys, entries, bytes: size, form }) => [
      state,
      'keyed',
      describeCount(keys),
      describeCount(entries),
      bytesText(size),
      form === null ? '' : formText(form),
    ]),
    ...lists.map(({ state, mode, items }) => [state, mode, '', describeCount(items), '', '']),
  ];
  if (rows.length > 0) lines.push(indented(textTable(['state', 'kind', 'keys', 'entries', 'bytes', 'form'], rows, new Set([2, 3, 4]))));
  if (states.length > 0) lines.push(indented(groupsText(operator, allGroups)));
  return lines.join('\n');
}

/** How many of the fullest key groups are shown. */
const FULLEST = 5;

function groupsText({ keyGroups }: OperatorInspection, all: boolean): string {
  const groups = Object.entries(keyGroups).map(([group, size]) => ({ group, ...size }));
  const shown = all ? groups : groups.toSorted((a, b) => b.keys - a.keys || b.bytes - a.bytes).slice(0, FULLEST);
  const rows = shown.map(({ group, keys, bytes }) => [group, describeCount(keys), bytesText(bytes)]);
  const title =
    all || groups.length <= FULLEST ? '' : `${groups.length} key groups hold keys; the ${FULLEST} fullest (--key-groups: all):\n`;
  return `${title}${textTable(['key group', 'keys', 'bytes'], rows, new Set([0, 1, 2]))}`;
}

function objectTable(objects: CheckpointInspection['objects']): string {
  const rows = objects.map(({ object, bytes, inherited, sharedWith }) => [
    object,
    bytesText(bytes),
    [inherited ? 'of an earlier checkpoint' : '', sharedWith.length === 0 ? '' : `shared with ${sharedWith.join(', ')}`]
      .filter((part) => part !== '')
      .join('; '),
  ]);
  return textTable(['object', 'bytes', ''], rows, new Set([1]));
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

/** Such as `value, version 2, codec money 1`; the first version of values, and plain data, go without saying. */
function formText({ kind, version = 1, codec }: StateForm): string {
  const parts = [
    kind,
    ...(version === 1 ? [] : [`version ${version}`]),
    ...(codec === undefined ? [] : [`codec ${codec.name} ${codec.version}`]),
  ];
  return parts.join(', ');
}
