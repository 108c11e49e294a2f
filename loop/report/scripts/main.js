// A report that stands still.

fill({ signal: new AbortController().signal });
