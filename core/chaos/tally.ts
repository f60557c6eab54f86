/** How many have passed and failed, told as it goes. */
export class Tally {
  passed = 0;
  failed = 0;

  add(hasPassed: boolean, problem: () => string): void {
    if (hasPassed) this.passed++;
    else {
      this.failed++;
      this.say(`FAILED   ${problem()}`);
    }
  }

  say(text: string): void {
    console.log(text);
  }

  /** The last line, and the exit code. */
  end(): number {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed === 0 ? 0 : 1;
  }
}
