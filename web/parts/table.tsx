import type { ComponentChildren } from "preact";

interface TableProps {
  readonly id: string;
  readonly title: string;
  /** Names of the columns; those that begin with "#" are numbers. */
  readonly columns: readonly string[];
  /** What is said instead of rows. */
  readonly none: string;
  /** What stands below the table, in its card. */
  readonly below?: ComponentChildren;
  readonly children: readonly ComponentChildren[];
}

/** A table in a card of its own, which scrolls where it is too large. */
export function Table({ id, title, columns, none, below, children }: TableProps) {
  return (
    <section class="card" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby={`${id}-title`}>
        <table id={id}>
          <thead>
            <tr>
              {columns.map((name) => (
                <th scope="col" key={name} class={name.startsWith("#") ? "number" : undefined}>
                  {name.replace("#", "")}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {children.length > 0 ? children : (
              <tr>
                <td class="soft" colSpan={columns.length}>{none}</td>
              </tr>
            )}
          </tbody>
        </table>
      </div>
      {below}
    </section>
  );
}
