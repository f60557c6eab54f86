import { detect, pattern } from '@millrace/cep';
import { fromArray, StreamEnvironment } from '@millrace/core';
import { type Login, logins } from './logins.ts';

const entered = pattern<Login>()
  .begin('failure')
  .where((login) => !login.ok)
  .followedBy('success')
  .where((login) => login.ok)
  .within({ milliseconds: 2_500 });
const found = new StreamEnvironment()
  .from(fromArray(logins), { time: { timestamp: (login) => login.at } })
  .keyBy((login) => login.user)
  .pipe(detect(entered, ({ success: [{ user }] }) => user, { uid: 'entered' }));
console.log((await found.side('timedOut').collect()).map(({ failure }) => failure));
