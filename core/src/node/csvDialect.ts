import { describeValue } from '../errors/describe.ts';
import { MillraceError } from '../errors/millraceError.ts';

/** How the cells of a CSV file are told apart. */
export interface CsvDialectOptions {
  /** What stands between cells: one ASCII character. Default: `,`. */
  readonly delimiter?: string;
  /** What cells that hold delimiters or newlines are put in: one ASCII character. `false`: quotes mean nothing. Default: `"`. */
  readonly quote?: string | false;
  /** Lines that begin with this ASCII character are passed over. Default: none are. */
  readonly comment?: string;
}

/** The same as byte values; -1 stands for none. */
export interface CsvDialect {
  readonly delimiter: number;
  readonly quote: number;
  readonly comment: number;
}

/**
 * Checks the options.
 *
 * @throws MillraceError `config/invalid`
 */
export function csvDialect(options: CsvDialectOptions): CsvDialect {
  const delimiter = code(options.delimiter ?? ',', 'delimiter');
  const quote = options.quote === false ? -1 : code(options.quote ?? '"', 'quote');
  const comment = options.comment === undefined ? -1 : code(options.comment, 'comment');
  if (delimiter === quote || delimiter === comment || (quote === comment && quote !== -1)) {
    throw new MillraceError('config/invalid', 'CSV: delimiter, quote and comment are not all different.', {
      remedy: 'Give each a character of its own.',
    });
  }
  return { delimiter, quote, comment };
}

function code(character: string, what: string): number {
  const value = typeof character === 'string' && character.length === 1 ? character.charCodeAt(0) : -1;
  if (value >= 0 && value < 128 && value !== 10 && value !== 13) return value;
  const given = typeof character === 'string' ? `a text of ${character.length} characters` : describeValue(character);
  throw new MillraceError('config/invalid', `CSV: ${what} is ${given}, not one ASCII character.`, {
    remedy: "Give one, such as ';' or '\\t'.",
  });
}
