import { CategoryTiles } from "@/features/catalog/components/category-tiles";
import { Hero } from "@/features/catalog/components/hero";
import { ProductShelf } from "@/features/catalog/components/product-shelf";
import { useDocumentTitle } from "@/lib/document-title";

export function HomePage() {
  useDocumentTitle(undefined);
  return (
    <>
      <Hero />
      <CategoryTiles />
      <ProductShelf
        title="New arrivals"
        filter={{ sort: "newest", in_stock: true }}
        moreUrl="/products?sort=newest"
      />
      <ProductShelf
        title="Best rated"
        filter={{ sort: "rating", in_stock: true }}
        moreUrl="/products?sort=rating"
      />
    </>
  );
}
