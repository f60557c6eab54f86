import { pattern } from '@millrace/cep';
import { trial } from '@millrace/cep/testing';

const ignored = pattern<string>()
  .begin('order')
  .where((event) => event === 'order')
  .notFollowedBy('reply')
  .where((event) => event === 'reply')
  .absentFor({ minutes: 5 });

const tried = trial(ignored);
tried.event('order', 0);
tried.advance(300_000);
console.log(tried.takeMatches());
tried.advance(300_001);
console.log(tried.takeMatches());
