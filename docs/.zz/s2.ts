import { pattern } from '@millrace/cep';
import { matches } from '@millrace/cep/testing';

const is = (wanted: string) => (letter: string) => letter === wanted;
const begin = pattern<string>().begin('a').where(is('a'));
const letters = ['a', 'x', 'b', 'b'];
console.log(matches(begin.next('b').where(is('b')), letters).length);
console.log(matches(begin.followedBy('b').where(is('b')), letters).length);
console.log(matches(begin.followedByAny('b').where(is('b')), letters).length);
