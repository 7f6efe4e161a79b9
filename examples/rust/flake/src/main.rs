//! Prints the prime numbers below a limit: `primes 100`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(limit) = std::env::args().nth(1).and_then(|text| text.parse().ok()) else {
        eprintln!("usage: primes LIMIT");
        return ExitCode::from(2);
    };
    for prime in primes(limit) {
        println!("{prime}");
    }
    ExitCode::SUCCESS
}

/// The sieve of Eratosthenes.
fn primes(limit: usize) -> Vec<usize> {
    let mut composite = vec![false; limit];
    let mut primes = Vec::new();
    for candidate in 2..limit {
        if composite[candidate] {
            continue;
        }
        primes.push(candidate);
        for multiple in (candidate * candidate..limit).step_by(candidate) {
            composite[multiple] = true;
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_primes() {
        assert_eq!(super::primes(20), [2, 3, 5, 7, 11, 13, 17, 19]);
    }
}
