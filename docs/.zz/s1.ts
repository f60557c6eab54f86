import { detect, pattern } from '@millrace/cep';
import { fromArray, StreamEnvironment } from '@millrace/core';
import { type Login, logins } from './logins.ts';

const guessed = pattern<Login>()
  .begin('failures')
  .where((login) => !login.ok)
  .times(2)
  .consecutive()
  .next('success')
  .where((login) => login.ok)
  .within({ minutes: 1 });

const alerts = new StreamEnvironment()
  .from(fromArray(logins), { time: { timestamp: (login) => login.at } })
  .keyBy((login) => login.user)
  .pipe(detect(guessed, ({ failures, success: [success] }, { key }) => `${key}: ${failures.length} failures, in at ${success.at}`, { uid: 'guessed' }));
console.log(await alerts.collect());
