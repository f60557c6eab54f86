// logins.ts
export interface Login {
  readonly user: string;
  readonly ok: boolean;
  readonly at: number;
}

export const logins: readonly Login[] = [
  { user: 'eve', ok: false, at: 0 },
  { user: 'bob', ok: false, at: 1_000 },
  { user: 'eve', ok: false, at: 2_000 },
  { user: 'bob', ok: true, at: 3_000 },
  { user: 'eve', ok: true, at: 4_000 },
];
