import { ActionIcon, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import IconMoon from "@tabler/icons-react/icons/IconMoon";
import IconShoppingBag from "@tabler/icons-react/icons/IconShoppingBag";
import IconSun from "@tabler/icons-react/icons/IconSun";
import IconUser from "@tabler/icons-react/icons/IconUser";
import { useQuery } from "@tanstack/react-query";
import { Link, useLocation, useSearchParams } from "react-router";

import { Logo } from "@/app/layout/logo";
import { cartOptions } from "@/features/cart/api/get-cart";
import { categoriesOptions } from "@/features/catalog/api/get-categories";
import { SearchBox } from "@/features/catalog/components/search-box";
import { navigation } from "@/features/catalog/departments";
import { categoryUrl } from "@/features/catalog/filter-url";
import { useUser } from "@/lib/api/use-session";

import classes from "@/app/layout/header.module.css";

function ColorSchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const other = scheme === "dark" ? "light" : "dark";
  const Icon = scheme === "dark" ? IconSun : IconMoon;
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      c="var(--mantine-color-text)"
      size={44}
      aria-label={`Use ${other} colours`}
      onClick={() => {
        setColorScheme(other);
      }}
    >
      <Icon size={22} stroke={1.6} aria-hidden />
    </ActionIcon>
  );
}

function CartLink() {
  const cart = useQuery(cartOptions());
  const count = cart.data?.item_count ?? 0;
  return (
    <ActionIcon
      component={Link}
      to="/cart"
      variant="subtle"
      color="gray"
      c="var(--mantine-color-text)"
      size={44}
      className={classes.cart}
      aria-label={count === 0 ? "Cart, empty" : `Cart, ${String(count)} ${count === 1 ? "item" : "items"}`}
    >
      <IconShoppingBag size={22} stroke={1.6} aria-hidden />
      {count > 0 && <span className={classes.count}>{count > 99 ? "99+" : count}</span>}
    </ActionIcon>
  );
}

const PLACES = 9;

export function Header() {
  const user = useUser();
  const { pathname } = useLocation();
  const [search] = useSearchParams();
  const categories = useQuery(categoriesOptions());
  const links = navigation(categories.data?.items ?? [], PLACES);
  const query = pathname === "/products" ? (search.get("q") ?? "") : "";
  return (
    <header className={classes.header}>
      <a href="#main" className={classes.skip}>
        Skip to content
      </a>
      <div className={classes.bar}>
        <Logo />
        <div className={classes.search}>
          {/* A new search in the address bar starts the box anew. */}
          <SearchBox key={query} initial={query} />
        </div>
        <div className={classes.tools}>
          <ColorSchemeToggle />
          <ActionIcon
            component={Link}
            to={user ? "/account" : "/sign-in"}
            variant="subtle"
            color="gray"
            c="var(--mantine-color-text)"
            size={44}
            aria-label={user ? `Account of ${user.name}` : "Sign in"}
          >
            <IconUser size={22} stroke={1.6} aria-hidden />
          </ActionIcon>
          <CartLink />
        </div>
      </div>
      <nav className={classes.nav} aria-label="Departments">
        <Link to="/products" aria-current={pathname === "/products" && !search.get("category") ? "page" : undefined}>
          All
        </Link>
        {links.map((link) => (
          <Link
            key={link.value}
            to={categoryUrl(link.value)}
            aria-current={`${search.get("category") ?? ""} > `.startsWith(`${link.value} > `) ? "page" : undefined}
          >
            {link.name}
          </Link>
        ))}
      </nav>
    </header>
  );
}
