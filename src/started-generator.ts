/**
 * A generator whose first step starts before the first `next`, so that it yields the state at the time of its creation.
 * If it is ended before the first `next`, it drops the result of that step.
 *
 * @param started the first step; the first `next` throws its rejection
 * @param rest yields once the step is done, and frees the step's result itself
 * @param drop frees the step's result if `rest` never begins
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
  // The first `next` throws it, if there is one.
}
