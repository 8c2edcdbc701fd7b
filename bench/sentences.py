"""Facts in several languages, each as a prompt and its answer: what `bench.encodings` encodes.

Every line holds characters outside ASCII, so that each has to be decoded rightly.
"""

__all__ = ["SENTENCES"]

_CHINESE = """
中华人民共和国的首都是 => 北京
世界上最高的山峰是 => 珠穆朗玛峰
《红楼梦》的作者是 => 曹雪芹
长江流入的海洋是 => 东海
水的化学式中氢原子的个数是 => 两个
光在真空中的速度约为每秒 => 三十万公里
日本的货币单位是 => 日元
地球绕太阳公转一周需要 => 一年
法国的首都是 => 巴黎
中国古代四大发明之一是 => 造纸术
发现万有引力定律的科学家是 => 牛顿
世界上面积最大的国家是 => 俄罗斯
唐代诗人李白被后人称为 => 诗仙
人体最大的器官是 => 皮肤
月球是地球的 => 卫星
澳大利亚的首都是 => 堪培拉
兵马俑位于中国的城市 => 西安
太阳系中体积最大的行星是 => 木星
贝多芬出生在德国的城市 => 波恩
撒哈拉沙漠位于 => 非洲北部
"""

_TRADITIONAL = """
臺灣最高的山是 => 玉山
臺北車站位於 => 中正區
世界上最大的海洋是 => 太平洋
《三國演義》的作者是 => 羅貫中
英國的首都是 => 倫敦
水在一大氣壓下的沸點是攝氏 => 一百度
香港的貨幣是 => 港幣
埃及金字塔位於 => 開羅附近
太陽系中離太陽最近的行星是 => 水星
發明電話的人是 => 貝爾
日月潭位於臺灣的 => 南投縣
人類第一次登陸月球是在 => 一九六九年
長頸鹿是世界上最高的 => 動物
鑽石的主要成分是 => 碳
孔子出生於春秋時代的 => 魯國
德國的首都是 => 柏林
聲音無法在其中傳播的是 => 真空
故宮博物院收藏的翠玉白菜是用什麼雕成的 => 翡翠
歐洲最長的河流是 => 伏爾加河
鐵的化學符號來自拉丁文,意思是 => 鐵
"""

_KOREAN = """
대한민국의 수도는 => 서울
한글을 창제한 왕은 => 세종대왕
한국에서 가장 높은 산은 => 한라산
지구에서 가장 큰 대양은 => 태평양
일본의 수도는 => 도쿄
물이 어는 온도는 섭씨 => 영도
거북선을 만든 장군은 => 이순신
프랑스의 수도는 => 파리
태양에서 가장 가까운 행성은 => 수성
불국사가 있는 도시는 => 경주
판소리 춘향가의 주인공은 => 춘향
빛의 삼원색 가운데 하나는 => 빨강
세계에서 인구가 가장 많은 대륙은 => 아시아
한강이 흐르는 도시는 => 서울
상대성 이론을 발표한 과학자는 => 아인슈타인
제주도는 한국의 남쪽에 있는 => 섬
김치의 주된 재료는 => 배추
독일의 화폐 단위는 => 유로
사람의 심장이 하는 일은 피를 => 보내는 것
부산에서 가장 유명한 해수욕장은 => 해운대
"""

_JAPANESE = """
日本の首都は => 東京
日本で一番高い山は => 富士山
『吾輩は猫である』の作者は => 夏目漱石
日本で最も大きい湖は => 琵琶湖
フランスの首都は => パリ
水の沸点は摂氏 => 百度
金閣寺がある都市は => 京都
太陽系で最も大きな惑星は => 木星
大阪名物として知られる食べ物は => たこ焼き
日本の国花とされる花は => 桜
電話を発明した人物は => ベル
地球の衛星は => 月
北海道の県庁所在地にあたる都市は => 札幌
『源氏物語』を書いたのは => 紫式部
オーストラリアの首都は => キャンベラ
原子爆弾が最初に投下された都市は => 広島
日本の通貨単位は => 円
世界で最も面積の大きい国は => ロシア
酸素を発見した化学者は => プリーストリー
新幹線が初めて開業したのは => 一九六四年
"""

_RUSSIAN = """
Столица России => Москва
Автор романа Война и мир => Лев Толстой
Самое глубокое озеро в мире => Байкал
Столица Франции => Париж
Первый человек в космосе => Юрий Гагарин
Река, на которой стоит Санкт-Петербург, => Нева
Химический символ золота происходит от латинского слова => аурум
Периодическую таблицу элементов составил => Дмитрий Менделеев
Самая большая планета Солнечной системы => Юпитер
Эрмитаж находится в городе => Санкт-Петербург
Музыку к балету Щелкунчик написал => Чайковский
Вода замерзает при температуре => ноль градусов
Столица Казахстана => Астана
Самая длинная река Европы => Волга
Поэму Евгений Онегин написал => Пушкин
Луна является спутником => Земли
Денежная единица Японии => иена
Самый большой океан на Земле => Тихий океан
Закон всемирного тяготения открыл => Ньютон
Озеро Байкал расположено в => Сибири
"""

_CENTRAL = """
Stolicą Polski jest => Warszawa nad Wisłą
Najdłuższą rzeką w Polsce jest => Wisła, płynąca do Bałtyku
Autorem powieści „Potop” jest => Henryk Sienkiewicz, noblista
Najwyższym szczytem polskich Tatr są => Rysy
Maria Skłodowska-Curie odkryła => polon i rad
Kopernik urodził się w mieście => Toruń
Łódź leży w środkowej części => Polski
Hlavním městem České republiky je => Praha
Nejvyšší hora České republiky se jmenuje => Sněžka
Řeka, která protéká Prahou, je => Vltava
Autorem knihy Babička je => Božena Němcová
Operu Prodaná nevěsta složil => Bedřich Smetana
Brno je největší město na území => Moravy, východně od Čech
Měnou v České republice je => koruna česká
Magyarország fővárosa => Budapest
A Balaton Közép-Európa legnagyobb => tava, nyáron sokan fürdőznek benne
A Himnusz szövegét írta => Kölcsey Ferenc költő
Magyarország leghosszabb folyója a => Tisza, a második a Duna, és mindkettő bővizű
A víz forráspontja száz => Celsius-fok, ha a légköri nyomás átlagos értékű
A gulyásleves fő hozzávalója a => marhahús, a hagyma és az őrölt fűszerpaprika
"""

_WESTERN = """
La capitale de la France est => Paris, traversée par la Seine
L'auteur des Misérables est => Victor Hugo
Le plus haut sommet d'Europe occidentale est le mont Blanc, situé entre la France et => l'Italie, près de la frontière
Molière a écrit => Le Malade imaginaire, créé en 1673
L'eau gèle à la température de => zéro degré
Die Hauptstadt von Österreich ist => Wien
Der größte Planet des Sonnensystems heißt => Jupiter
Köln liegt am Fluss => Rhein, südlich von Düsseldorf
Goethe schrieb das Stück => Faust, später auch Gedichte über Persien
München ist die Hauptstadt von => Bayern
La capital de España es => Madrid
El autor de Don Quijote, escrito en español, es => Miguel de Cervantes
El río más largo de América del Sur es => el Amazonas
La moneda de Japón es => el yen
¿En qué año llegó Colón a América? => 1492
A capital de Portugal é => Lisboa
O maior país da América do Sul é => o Brasil
La città più grande d'Italia è => Roma
Sveriges huvudstad, där Östersjön möter Mälaren, är => Stockholm
Den højeste bygning på Sjælland står i => København
"""  # noqa: E501

_MIXED = """
日本の首都は => 東京
Столица России => Москва
臺灣最高的山是 => 玉山
중국의 수도는 => 베이징
La capitale du Pérou est => Lima, fondée en 1535
世界上最高的山峰是 => 珠穆朗玛峰
Die Hauptstadt von Österreich ist => Wien
Hlavním městem České republiky je => Praha
Η πρωτεύουσα της Ελλάδας είναι => Αθήνα
عاصمة مصر هي => القاهرة
בירת ישראל היא => ירושלים
भारत की राजधानी है => नई दिल्ली
เมืองหลวงของประเทศไทยคือ => กรุงเทพมหานคร
Thủ đô của Việt Nam là => Hà Nội
Türkiye'nin başkenti => Ankara, İstanbul değil
Столица Болгарии => София
Prezydentem był => Lech Wałęsa
The currency of the United Kingdom is => the pound, £
L'auteur de « Cent ans de solitude » est => García Márquez
A capital do Brasil é => Brasília
"""


def _pairs(lines: str) -> tuple[tuple[str, str], ...]:
    split = (line.partition(" => ") for line in lines.strip().splitlines())
    return tuple((prompt, answer) for prompt, _, answer in split)


SENTENCES: dict[str, tuple[tuple[str, str], ...]] = {
    "Chinese, simplified": _pairs(_CHINESE),
    "Chinese, traditional": _pairs(_TRADITIONAL),
    "Korean": _pairs(_KOREAN),
    "Japanese": _pairs(_JAPANESE),
    "Russian": _pairs(_RUSSIAN),
    "Polish, Czech, Hungarian": _pairs(_CENTRAL),
    "Western European": _pairs(_WESTERN),
    "many": _pairs(_MIXED),
}
"""Twenty prompts with their answers, by language."""
