/**
 * A generator whose first step is under way before it is asked for anything: what it yields is of the moment at which it
 * was made. Ended before it is asked, it lets go of what the step gave.
 *
 * @param started the first step; what it rejects with is told by the first `next`
 * @param rest what is yielded, once the step is through; lets go of what it is given by itself
 * @param drop lets go of what the step gave, where `rest` is never begun
 */
export function startedGenerator<S, T>(
  started: Promise<S>,
  rest: (step: S) => AsyncGenerator<T, void, undefined>,
  drop: (step: S) => void,
): AsyncGenerator<T, void, undefined> {
  let begun = false;
  started.catch(ignore);
  const generator = (async function* () {
    begun = true;
    yield* rest(await started);
  })();
  const end = generator.return.bind(generator);
  generator.return = (value) => {
    if (!begun) {
      begun = true;
      started.then(drop, ignore);
    }
    return end(value);
  };
  return generator;
}

function ignore(): void {
  // Told by the first `next`, if anybody asks.
}
