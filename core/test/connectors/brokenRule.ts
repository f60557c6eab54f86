import { expect } from 'vitest';

/** Connectors of tests answer at once or never. */
export const patience = { milliseconds: 100 };

/** The rule that an error says is broken. */
export async function brokenRule(check: Promise<void>): Promise<string | undefined> {
  try {
    await check;
  } catch (error) {
    expect(error).toMatchObject({ code: 'testing/contract' });
    return /Rule "(.*?)"/.exec((error as Error).message)?.[1];
  }
  return undefined;
}
