import { pattern } from '@millrace/cep';
import { matches } from '@millrace/cep/testing';

const rises = pattern<number>()
  .begin('first')
  .next('more')
  .where((price, { first, more }) => price > (more?.at(-1) ?? first![0]))
  .oneOrMore()
  .consecutive();
console.log(matches(rises, [3, 5, 8, 2], { afterMatch: 'pastLast' }));
