/** The codes of this package's errors: `docs/guide/errors.md` has an entry for each. */
export const CEP_ERROR_CODES = [
  'cep/changed-pattern',
  'cep/condition',
  'cep/duplicate-name',
  'cep/empty-loop',
  'cep/greedy',
  'cep/malformed',
  'cep/not-step',
  'cep/optional',
  'cep/quantifier',
  'cep/skip-missed',
  'cep/skip-target',
  'cep/statechart',
  'cep/too-large',
  'cep/too-many-partials',
  'cep/trailing-not',
  'cep/until',
  'cep/window',
] as const;

/** A code of this package. */
export type CepErrorCode = (typeof CEP_ERROR_CODES)[number];
