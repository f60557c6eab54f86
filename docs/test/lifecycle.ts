import { lifecycleMachine } from '@millrace/core';

interface MachineConfig {
  readonly initial: string;
  readonly states: Readonly<Record<string, { readonly type?: string; readonly on?: Readonly<Record<string, string>> }>>;
}

/** The life of a job as a Mermaid state diagram. */
export function lifecycleDiagram(): string {
  const { initial, states } = lifecycleMachine.config as unknown as MachineConfig;
  const lines = ['stateDiagram-v2', `  [*] --> ${initial}`];
  for (const [state, { type, on = {} }] of Object.entries(states)) {
    for (const [event, target] of Object.entries(on)) lines.push(`  ${state} --> ${target}: ${event}`);
    if (type === 'final') lines.push(`  ${state} --> [*]`);
  }
  return lines.join('\n');
}
