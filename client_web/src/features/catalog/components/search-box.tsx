import { CloseButton } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import IconSearch from "@tabler/icons-react/icons/IconSearch";
import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useNavigate } from "react-router";

import { suggestionsOptions } from "@/features/catalog/api/get-suggestions";
import { categoryName, suggestionUrl } from "@/features/catalog/filter-url";

import type { KeyboardEvent } from "react";

import classes from "@/features/catalog/components/search-box.module.css";

/** Search with suggestions, after the ARIA combobox pattern. */
export function SearchBox({ initial = "" }: { initial?: string }) {
  const navigate = useNavigate();
  const listId = useId();
  const [text, setText] = useState(initial);
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [query] = useDebouncedValue(text.trim(), 150);
  const suggestions = useQuery({ ...suggestionsOptions(query), enabled: isOpen && query.length >= 2 });
  const items = text.trim().length >= 2 ? (suggestions.data?.items.slice(0, 8) ?? []) : [];
  const isShown = isOpen && items.length > 0;

  function go(url: string) {
    setOpen(false);
    setActive(-1);
    void navigate(url);
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const step = event.key === "ArrowDown" ? 1 : -1;
      const slots = items.length + 1;
      setActive(((active + 1 + step + slots) % slots) - 1);
    } else if (event.key === "Escape") {
      setOpen(false);
      setActive(-1);
    }
  }

  return (
    <form
      role="search"
      className={classes.search}
      onSubmit={(event) => {
        event.preventDefault();
        const chosen = isShown ? items[active] : undefined;
        if (chosen) go(suggestionUrl(chosen));
        else if (text.trim()) go(`/products?${new URLSearchParams({ q: text.trim() }).toString()}`);
      }}
    >
      <IconSearch size={18} className={classes.icon} aria-hidden />
      <input
        className={classes.input}
        type="text"
        role="combobox"
        enterKeyHint="search"
        autoComplete="off"
        maxLength={100}
        placeholder="Search boots, dresses, rings"
        aria-label="Search the shop"
        aria-expanded={isShown}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={isShown && active >= 0 ? `${listId}-${String(active)}` : undefined}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setOpen(true);
          setActive(-1);
        }}
        onFocus={() => {
          setOpen(true);
        }}
        onBlur={() => {
          setOpen(false);
        }}
        onKeyDown={onKeyDown}
      />
      {text && (
        <CloseButton
          className={classes.clear}
          variant="transparent"
          aria-label="Clear search"
          onClick={() => {
            setText("");
          }}
        />
      )}
      <ul id={listId} role="listbox" aria-label="Suggestions" className={classes.list} hidden={!isShown}>
        {items.map((item, index) => (
          // The input keeps the focus and handles the keys; the pointer only clicks.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events
          <li
            key={`${item.kind}-${item.product_id ?? item.text}`}
            id={`${listId}-${String(index)}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onMouseDown={(event) => {
              event.preventDefault();
            }}
            onClick={() => {
              go(suggestionUrl(item));
            }}
          >
            <span>{item.kind === "category" ? categoryName(item.text) : item.text}</span>
            {item.kind === "category" && <small>in categories</small>}
            {item.kind === "query" && <small>popular search</small>}
          </li>
        ))}
      </ul>
    </form>
  );
}
