// Counts the words of standard input, most frequent first.

#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>

int main() {
  std::map<std::string, unsigned> counts;
  for (std::string word; std::cin >> word;) {
    ++counts[word];
  }

  std::vector<std::pair<std::string, unsigned>> words(counts.begin(), counts.end());
  std::ranges::stable_sort(words, std::ranges::greater{}, &std::pair<std::string, unsigned>::second);
  for (const auto& [word, count] : words) {
    std::cout << count << ' ' << word << '\n';
  }
}
